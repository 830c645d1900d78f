"""What the run tells GitHub of itself. Each part is found again before it is written, so a repeat changes nothing."""

from collections.abc import Callable, Iterator

from temporalio import activity

from activities.polling import is_last_try
from vtid.domain.commands.reports import Report, Reported
from vtid.domain.errors import OutsideError, Unavailable
from vtid.domain.ports import CodeHost

Part = tuple[str, Callable[[], object]]


class Reports:
    def __init__(self, code_host: CodeHost) -> None:
        self._code_host = code_host

    @activity.defn
    def report(self, command: Report) -> Reported:
        """Write every part, whatever becomes of the others.

        Tried again while one is Unavailable; what is refused, or was never reached, is a result with its reason.
        """
        written: dict[str, object] = {}
        failed: list[tuple[str, OutsideError]] = []
        for name, write in self._parts(command):
            try:
                written[name] = write()
            except OutsideError as error:
                failed.append((name, error))
        passing = next((error for _, error in failed if isinstance(error, Unavailable)), None)
        if passing is not None and not is_last_try():
            raise passing
        return Reported(**written, failed=tuple((name, str(error)) for name, error in failed))  # type: ignore[arg-type]

    def _parts(self, command: Report) -> Iterator[Part]:
        host, repository, notice, note = (
            self._code_host,
            command.repository,
            command.notice,
            command.deployment,
        )
        if note is not None:
            yield (
                "deployment",
                lambda: host.report_deployment(
                    repository,
                    note.environment,
                    note.commit,
                    success=note.proven,
                    description=f"{command.vtid}: {note.says}",
                    url=note.page_url,
                ),
            )
        if notice is not None:
            yield "check", lambda: host.write_check(repository, command.head_sha, notice)
            yield "comment", lambda: host.write_comment(repository, command.number, notice)
