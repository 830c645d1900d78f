"""Become another program that dies with its parent: `python leash.py PARENT_PID PROGRAM ARGUMENT…`.

A supervisor that is killed with -9 cannot stop its children; on Linux the kernel does it for it. This is a
program of its own, and not a hook between fork and exec, because only exec is safe in a parent with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the signal, look whether the parent died meanwhile, and exec."""
    parent, program, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        # SIGKILL, not SIGTERM: nobody is left who would wait for a child that takes its time.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != int(parent):
            raise SystemExit("the supervisor is gone")
    os.execv(program, [program, *arguments])  # noqa: S606 - a shell would be the child instead


if __name__ == "__main__":
    main()
