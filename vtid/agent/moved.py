"""What has moved since the last heartbeat: words of the command, commits, output. A bare heartbeat only lives."""

from contextlib import suppress
from typing import Any

from vtid.agent.command import Command
from vtid.agent.git import GitFailed
from vtid.agent.workspace import Workspace

MAX_STEP = 500  # characters of the last line that are sent


class Movement:
    """Markers of progress of one order."""

    def __init__(self, workspace: Workspace, command: Command) -> None:
        self._workspace, self._command = workspace, command
        self._said = 0  # bytes of the progress file that were read
        self._last: dict[str, Any] = {}

    async def since_last(self) -> dict[str, Any] | None:
        """What is new, or None when nothing is."""
        now: dict[str, Any] = {"output_bytes": self._command.output_bytes}
        with suppress(GitFailed, OSError):  # the command may be in the middle of anything
            now["commit"] = await self._workspace.head()
        moved = {key: value for key, value in now.items() if value and self._last.get(key, 0) != value}
        first, self._last = not self._last, self._last | now
        if first:
            moved.pop("commit", None)  # where the work began is no progress
        if step := self._step():
            moved["step"] = step
        return moved or None

    def _step(self) -> str:
        """The last whole line that the command wrote since we looked."""
        with suppress(OSError), self._workspace.progress.open("rb") as file:
            file.seek(self._said)
            said, ended, _ = file.read().rpartition(b"\n")
            self._said += len(said) + len(ended)
            lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
            return next((line for line in reversed(lines) if line), "")[:MAX_STEP]
        return ""
