"""Ports of this machine: which are free, and who would be in the way."""

import errno
import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes the ports of outgoing connections: a port that we chose must
# still be free when a process that was killed comes back to it.
FREE_RANGE = range(20_000, 32_000)


class PortBusy(Exception):
    """Somebody listens there already; the message names the port and who needs it."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback now. Raises OSError for other problems."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
        return True


def free_ports(count: int) -> list[int]:
    """That many different free ports. Raises PortBusy when the machine has none left."""
    found: list[int] = []
    for port in random.sample(FREE_RANGE, k=len(FREE_RANGE)):
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    if len(found) < count:
        raise PortBusy(f"no {count} ports are free between {FREE_RANGE.start} and {FREE_RANGE.stop}")
    return found


def claim(port: int, needed_by: str, instead: str) -> int:
    """The port itself, if it is free. `instead` says what a person can do about it."""
    if not is_free(port):
        raise PortBusy(f"port {port} is in use, and {needed_by} needs it; {instead}")
    return port
