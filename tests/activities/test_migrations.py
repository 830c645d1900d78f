"""The step on the database: what may still be applied is waited for, what cannot be asked is neither yes nor no."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.migrations import MigrationChecks
from activities.polling import NOT_READY
from tests.activities.looking import last_try, try_of
from tests.workflows.world import MERGED, REPOSITORY, Databases, GitHub
from vtid.domain.commands.deployments import VerifyMigrations
from vtid.domain.deployment import Link, LinkState
from vtid.domain.errors import Denied, Unavailable
from vtid.domain.migrations import DatabaseSeen, Migrations, Tool

DECLARED = Migrations(Tool.SQL, "db", "schema_migrations", "SHOP_DATABASE_URL")


async def verified(env: ActivityEnvironment, databases: Databases, github: GitHub | None = None) -> Link:
    command = VerifyMigrations(REPOSITORY, MERGED, "main", DECLARED)
    link: Link = await env.run(MigrationChecks(github or GitHub(), databases).verify_migrations, command)
    return link


async def test_applied_migrations_are_a_proven_link() -> None:
    link = await verified(try_of(), Databases())

    assert (link.name, link.state, link.code) == ("migrations", LinkState.PROVEN, None)
    assert link.raw["applied"] == 1


async def test_pending_ones_are_waited_for_until_the_last_look() -> None:
    databases = Databases([DatabaseSeen(True)])

    with pytest.raises(ApplicationError) as told:
        await verified(try_of(), databases)
    link = await verified(last_try(), databases)

    assert told.value.type == NOT_READY
    assert (link.state, link.code) == (LinkState.CONTRADICTED, "MIGRATIONS_PENDING")
    assert link.raw["pending"] == ("0001",)


async def test_a_failed_one_is_told_at_once() -> None:
    link = await verified(try_of(), Databases([DatabaseSeen(True, failed=("0001",))]))

    assert (link.state, link.code) == (LinkState.CONTRADICTED, "MIGRATIONS_PENDING")
    assert link.says.startswith("failed: 0001")


async def test_a_database_that_cannot_be_asked_is_unknown() -> None:
    away = Databases(error=Unavailable("DATABASE", "the database cannot be asked"))

    with pytest.raises(ApplicationError):
        await verified(try_of(), away)
    link = await verified(last_try(), away)
    denied = await verified(try_of(), Databases(error=Denied("DATABASE", "the database refuses us")))

    for each in (link, denied):
        assert (each.state, each.code) == (LinkState.UNKNOWN, "PROOF_INCOMPLETE")


async def test_a_version_of_a_later_commit_is_looked_up_on_the_base() -> None:
    class Growing(GitHub):
        def migration_files(self, repository: str, ref: str, migrations: Migrations):  # type: ignore[no-untyped-def]
            later = ("db/0002_more.sql",) if ref == "main" else ()
            self.migrations = ("db/0001_orders.sql", *later)
            return super().migration_files(repository, ref, migrations)

    link = await verified(try_of(), Databases([DatabaseSeen(True, ("0001", "0002"))]), Growing())

    assert link.state is LinkState.PROVEN
    assert link.raw["later"] == ("0002",)
