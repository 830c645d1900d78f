"""The files of a commit, and the versions of a database: what is pending, failed, unknown, and has a way back."""

from dataclasses import replace

import pytest

from vtid.domain.migrations import (
    DatabaseSeen,
    MigrationFile,
    MigrationFiles,
    MigrationReport,
    Migrations,
    Tool,
    compare,
    files_of,
)

SQL = Migrations(Tool.SQL, "db", "schema_migrations", "SHOP_DATABASE_URL")
PATHS = ("db/0001_orders.sql", "db/0001_orders.down.sql", "db/0002_total.sql", "README.md")


def seen(*applied: str, **more: object) -> DatabaseSeen:
    return replace(DatabaseSeen(True, applied), **more)  # type: ignore[arg-type]


def report(database: DatabaseSeen, base: tuple[str, ...] | None = None) -> MigrationReport:
    files = MigrationFiles(files_of(SQL, PATHS))
    return compare(SQL, files, database, MigrationFiles(files_of(SQL, base)) if base is not None else None)


def versions(declared: Migrations, *paths: str) -> list[tuple[str, bool]]:
    return [(file.version, file.has_way_back) for file in files_of(declared, paths)]


# --- layouts


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (PATHS, [("0001", True), ("0002", False)]),
        (("db/1_a.up.sql", "db/1_a.down.sql", "db/10_b.up.sql", "db/2_c.up.sql"), [("1", True), ("2", False), ("10", False)]),
        (("db/up/001_a.sql", "db/down/001_a.sql"), [("001", True)]),
        (("db/seed.sql", "db/0001-first.sql", "database/0002_x.sql", "db/notes.md"), [("0001", False)]),
        ((), []),
    ],
)  # fmt: skip
def test_plain_files_have_a_number_and_maybe_a_file_down(
    paths: tuple[str, ...], found: list[tuple[str, bool]]
) -> None:
    assert versions(SQL, *paths) == found


def test_prismas_migrations_are_folders() -> None:
    declared = replace(SQL, tool=Tool.PRISMA, path="prisma/migrations/")
    root = "prisma/migrations"

    assert versions(
        declared,
        f"{root}/20260102_total/migration.sql",
        f"{root}/20260101_orders/migration.sql",
        f"{root}/20260101_orders/down.sql",
        f"{root}/migration_lock.toml",
    ) == [("20260101_orders", True), ("20260102_total", False)]


def test_supabases_migrations_are_files_with_a_time() -> None:
    declared = replace(SQL, tool=Tool.SUPABASE, path="supabase/migrations")

    assert versions(declared, "supabase/migrations/20260101120000_orders.sql") == [("20260101120000", False)]


ALEMBIC = replace(SQL, tool=Tool.ALEMBIC, path="alembic/versions")
FIRST = 'revision: str = "aaa"\ndown_revision: str | None = None\n\ndef downgrade() -> None:\n    op.drop_table("orders")\n'
SECOND = 'revision = "bbb"\ndown_revision = "aaa"\n\n\ndef downgrade():\n    """No way back."""\n    pass\n'
MERGED = (
    'revision = "ddd"\ndown_revision = ("bbb", "ccc")\n\ndef downgrade():\n    raise NotImplementedError\n'
)
THIRD = "revision = 'ccc'\ndown_revision = 'aaa'  # beside bbb\n\ndef downgrade():\n    op.drop_column('orders', 'total')\n"
TEXTS = {"4.py": MERGED, "3.py": THIRD, "2.py": SECOND, "1.py": FIRST, "env.py": "print()"}


def test_alembics_revisions_are_ordered_by_what_they_stand_on() -> None:
    files = files_of(ALEMBIC, (), TEXTS)

    assert [(file.version, file.has_way_back) for file in files] == [
        ("aaa", True),
        ("bbb", False),
        ("ccc", True),
        ("ddd", False),
    ]


def test_alembics_table_names_the_head_alone() -> None:
    files = MigrationFiles(files_of(ALEMBIC, (), TEXTS))

    assert compare(ALEMBIC, files, seen("ddd")).verified
    assert compare(ALEMBIC, files, seen("bbb")).pending == ("ccc", "ddd")
    assert compare(ALEMBIC, files, seen("bbb", "ccc")).pending == ("ddd",)
    assert compare(ALEMBIC, files, seen("eee")).unknown == ("eee",)


# --- held against the database


def test_what_is_applied_is_verified() -> None:
    found = report(seen("0001", "0002"))

    assert found.verified
    assert found.says == "all 2 migrations are applied, and every declared object is there"


@pytest.mark.parametrize("spelled", [("1", "2"), ("0001_orders.sql", "0002_total"), ("0001", "2")])
def test_a_table_may_spell_a_version_in_its_own_way(spelled: tuple[str, ...]) -> None:
    assert report(seen(*spelled)).verified


def test_what_is_pending_is_named_with_its_way_back() -> None:
    found = report(seen())

    assert not found.verified
    assert found.pending == ("0001", "0002")
    assert found.ways_back == {"0001": True, "0002": False}
    assert found.says == "pending: 0001 (has a way back), 0002 (has no way back)"


def test_a_database_without_the_table_has_everything_pending() -> None:
    found = report(DatabaseSeen(False))

    assert found.pending == ("0001", "0002")
    assert "no migration was ever recorded there" in found.says


def test_what_failed_is_not_pending() -> None:
    found = report(seen("0001", failed=("0002",)))

    assert (found.failed, found.pending, found.verified) == (("0002",), (), False)


def test_a_table_that_keeps_the_last_version_alone_has_all_before_it() -> None:
    assert report(seen("2", current_only=True)).verified
    assert report(seen("1", current_only=True)).pending == ("0002",)
    assert report(seen(current_only=True)).pending == ("0001", "0002")
    dirty = report(seen(failed=("2",), current_only=True))
    assert (dirty.failed, dirty.pending) == (("0002",), ())


def test_an_applied_version_that_nobody_knows_is_unknown_and_one_of_the_base_is_later() -> None:
    database = seen("0001", "0002", "0003")

    assert (report(database).unknown, report(database).verified) == (("0003",), False)
    later = report(database, base=(*PATHS, "db/0003_more.sql"))
    assert (later.later, later.unknown, later.verified) == (("0003",), (), True)


def test_a_missing_object_is_not_verified() -> None:
    found = report(seen("0001", "0002", missing_objects=("table:orders",)))

    assert not found.verified
    assert found.says == "not in the database: table:orders"


def test_files_that_could_not_all_be_read_prove_nothing() -> None:
    files = MigrationFiles((MigrationFile("0001", "db/0001.sql", False),), complete=False)

    assert not compare(SQL, files, seen("0001")).verified


def test_no_migration_and_no_database_table_is_equal() -> None:
    assert compare(SQL, MigrationFiles(()), DatabaseSeen(False)).verified
