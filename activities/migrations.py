"""The step on the database: are the migrations of the merged commit applied."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime

from temporalio import activity

from activities.polling import is_last_look, not_ready
from vtid.domain.commands.deployments import VerifyMigrations
from vtid.domain.deployment import Link, LinkState
from vtid.domain.errors import OutsideError, Unavailable
from vtid.domain.migrations import DatabaseSeen, MigrationReport, compare
from vtid.domain.ports import MigrationsHost, MigrationSource


class MigrationChecks:
    def __init__(self, source: MigrationSource, databases: MigrationsHost) -> None:
        self._source = source
        self._databases = databases

    @activity.defn
    async def verify_migrations(self, command: VerifyMigrations) -> Link:
        """Look once. What may still be applied is "not ready yet" until the last look. A read.

        A database that cannot be asked gives an unknown link: that is neither yes nor no.
        """
        try:
            seen = await self._databases.migrations(command.migrations)
        except OutsideError as error:
            if isinstance(error, Unavailable) and not is_last_look():
                raise not_ready(str(error)) from error
            return _link(LinkState.UNKNOWN, str(error), "PROOF_INCOMPLETE")
        report = await asyncio.to_thread(self._report, command, seen)
        if not report.verified and not report.failed and not is_last_look():
            raise not_ready(report.says)
        state = LinkState.PROVEN if report.verified else LinkState.CONTRADICTED
        return _link(state, report.says, None if report.verified else "MIGRATIONS_PENDING", report)

    def _report(self, command: VerifyMigrations, seen: DatabaseSeen) -> MigrationReport:
        """Versions that this commit does not know may be of a later one: only then the base is asked, too."""
        ours = self._source.migration_files(command.repository, command.commit, command.migrations)
        report = compare(command.migrations, ours, seen)
        if not report.unknown:
            return report
        base = self._source.migration_files(command.repository, command.base, command.migrations)
        return compare(command.migrations, ours, seen, base)


def _link(state: LinkState, says: str, code: str | None, report: MigrationReport | None = None) -> Link:
    raw = asdict(report) if report else {}
    return Link("migrations", state, says, raw=raw, at=datetime.now(UTC), code=code)
