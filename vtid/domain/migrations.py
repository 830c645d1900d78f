"""Database migrations: the files of a commit, held against what a database says was applied. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Tool(StrEnum):
    """Who writes the table of applied versions, and how its files lie."""

    PRISMA = "prisma"  # PATH/20260101_name/migration.sql
    SQL = "sql"  # PATH/0001_name.sql, PATH/0001_name.up.sql
    ALEMBIC = "alembic"  # PATH/*.py, with revision and down_revision
    SUPABASE = "supabase"  # PATH/20260101_name.sql


TABLES = {
    Tool.PRISMA: "_prisma_migrations",
    Tool.SQL: "schema_migrations",
    Tool.ALEMBIC: "alembic_version",
    Tool.SUPABASE: "supabase_migrations.schema_migrations",
}


@dataclass(frozen=True)
class Migrations:
    """What an environment declares. Credentials are named, never held: a variable or a file of the worker.

    objects: what must exist, each as `kind:name`, such as `table:public.orders` or `column:orders.total`.
    """

    tool: Tool
    path: str
    table: str
    database_url_env: str | None = None
    database_url_file: str | None = None
    objects: tuple[str, ...] = ()

    def is_touched_by(self, paths: Iterable[str]) -> bool:
        return any(path.startswith(self.path.rstrip("/") + "/") for path in paths)


@dataclass(frozen=True)
class MigrationFile:
    """One migration of a commit. `after`: versions that come before it, where the files tell (Alembic)."""

    version: str
    path: str
    has_way_back: bool
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class MigrationFiles:
    """All migrations of one commit, in order. `complete` is False when not all files could be read."""

    files: tuple[MigrationFile, ...]
    complete: bool = True


@dataclass(frozen=True)
class DatabaseSeen:
    """What the database says. table_there: whether any migration was ever recorded.

    applied: finished versions. failed: begun and not finished. current: the table tells the last version only,
    so whatever comes before it in order is applied, too. missing_objects: declared and not there.
    """

    table_there: bool
    applied: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    current_only: bool = False
    missing_objects: tuple[str, ...] = ()


@dataclass(frozen=True)
class MigrationReport:
    """How the commit's migrations and the database stand to each other. `verified` when nothing is amiss."""

    verified: bool
    says: str
    applied: int = 0
    pending: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()  # applied, and neither in this commit nor on the base branch
    later: tuple[str, ...] = ()  # applied, and of a later commit of the base branch
    missing_objects: tuple[str, ...] = ()
    ways_back: dict[str, bool] = field(default_factory=dict)  # of the pending and failed ones


# --- the files of a commit

_SQL = re.compile(r"(?P<stem>(?P<version>\d+)(?:[_.-].*?)?)(?P<way>[._-](?:up|down))?\.sql", re.IGNORECASE)
_LEADING = re.compile(r"(\d+)(?=[_.-]|$)")
_DOWN = re.compile(r"(^|/)(down|undo|rollback)s?/", re.IGNORECASE)


def files_of(
    migrations: Migrations, paths: Iterable[str], texts: Mapping[str, str] | None = None
) -> tuple[MigrationFile, ...]:
    """The migrations among these paths of a commit. texts: path -> content, which Alembic's files need."""
    root = migrations.path.rstrip("/") + "/"
    inside = sorted(path for path in paths if path.startswith(root))
    match migrations.tool:
        case Tool.PRISMA:
            return _prisma(root, inside)
        case Tool.ALEMBIC:
            return _alembic(texts or {})
        case _:
            return _sql(root, inside)


def needs_texts(migrations: Migrations, path: str) -> bool:
    """Whether the content of this file tells what its name does not."""
    root = migrations.path.rstrip("/") + "/"
    return migrations.tool is Tool.ALEMBIC and path.startswith(root) and path.endswith(".py")


def _prisma(root: str, paths: list[str]) -> tuple[MigrationFile, ...]:
    names = [path.removeprefix(root) for path in paths]
    folders = [name.removesuffix("/migration.sql") for name in names if name.endswith("/migration.sql")]
    return tuple(
        MigrationFile(folder, f"{root}{folder}/migration.sql", f"{folder}/down.sql" in names)
        for folder in folders
        if "/" not in folder
    )


def _sql(root: str, paths: list[str]) -> tuple[MigrationFile, ...]:
    ups: dict[str, str] = {}
    downs: set[str] = set()
    for path in paths:
        found = _SQL.fullmatch(path.rsplit("/", 1)[-1])
        if found is None:
            continue
        if (found["way"] or "")[1:].lower() == "down" or _DOWN.search(path.removeprefix(root)):
            downs.add(found["version"])
        else:
            ups.setdefault(found["version"], path)
    ordered = sorted(ups, key=lambda version: (int(version), version))
    return tuple(MigrationFile(version, ups[version], version in downs) for version in ordered)


_REVISION = re.compile(r"^revision\s*(?::[^=\n]+)?=\s*['\"]([^'\"]+)['\"]", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision\s*(?::[^=\n]+)?=\s*(\([^)]*\)|\[[^\]]*\]|[^\n#]+)", re.MULTILINE)
_QUOTED = re.compile(r"['\"]([^'\"]+)['\"]")
_DOWNGRADE = re.compile(r"^def downgrade\([^)]*\)[^:]*:[^\n]*\n((?:[ \t]+[^\n]*\n?|\s*\n)*)", re.MULTILINE)
_EMPTY = re.compile(r'("""(?:.|\n)*?"""|#[^\n]*|\bpass\b|\.\.\.|raise [^\n]*)')


def _alembic(texts: Mapping[str, str]) -> tuple[MigrationFile, ...]:
    found = {}
    for path, text in texts.items():
        revision = _REVISION.search(text)
        if revision is None:
            continue
        before = _DOWN_REVISION.search(text)
        after = tuple(_QUOTED.findall(before[1])) if before else ()
        way_back = _DOWNGRADE.search(text)
        has_way_back = way_back is not None and bool(_EMPTY.sub("", way_back[1]).strip())
        found[revision[1]] = MigrationFile(revision[1], path, has_way_back, after)
    return _in_order(found)


def _in_order(files: dict[str, MigrationFile]) -> tuple[MigrationFile, ...]:
    """Every file after those that it stands on; what stands on nothing known comes first."""
    ordered: dict[str, MigrationFile] = {}
    waiting = dict(sorted(files.items()))
    while waiting:
        ready = [v for v, file in waiting.items() if not any(before in waiting for before in file.after)]
        for version in ready or list(waiting):  # a circle is nobody's order: take it as it comes
            ordered[version] = waiting.pop(version)
    return tuple(ordered.values())


# --- held against the database


def compare(
    migrations: Migrations, ours: MigrationFiles, seen: DatabaseSeen, base: MigrationFiles | None = None
) -> MigrationReport:
    """base: the migrations on the tip of the base branch, where a later deploy may have come from."""
    known = {file.version: file for file in ours.files}
    applied = _applied(migrations, ours.files, base.files if base else (), seen)
    failed = tuple(
        dict.fromkeys(_as_named(known, version) for version in seen.failed if version not in applied)
    )
    pending = tuple(v for v in known if v not in applied and v not in failed)
    on_base = {file.version for file in base.files} if base else set()
    strangers = [v for v in applied if v not in known and v not in failed]
    later = tuple(v for v in strangers if v in on_base)
    unknown = tuple(v for v in strangers if v not in on_base)
    verified = not (pending or failed or unknown or seen.missing_objects) and ours.complete
    return MigrationReport(
        verified=verified,
        says=_says(seen, ours, known, pending, failed, unknown),
        applied=len([version for version in known if version in applied]),
        pending=pending,
        failed=failed,
        unknown=unknown,
        later=later,
        missing_objects=seen.missing_objects,
        ways_back={v: known[v].has_way_back for v in (*pending, *failed) if v in known},
    )


def _as_named(known: Mapping[str, MigrationFile], version: str) -> str:
    """The version as its file spells it."""
    same = (each for each in known if _number(each) == _number(version))
    return version if version in known else next(same, version)


def _applied(
    migrations: Migrations,
    ours: tuple[MigrationFile, ...],
    base: tuple[MigrationFile, ...],
    seen: DatabaseSeen,
) -> dict[str, None]:
    """Every version that the database has, also where its table tells the last one only."""
    recorded = dict.fromkeys(seen.applied)
    if migrations.tool is Tool.PRISMA:
        return recorded
    if migrations.tool is Tool.ALEMBIC:
        return _with_what_they_stand_on(recorded, (*ours, *base))
    versions = {_number(file.version): file.version for file in (*base, *ours)}
    same = {versions.get(_number(version), version): None for version in recorded}
    if not seen.current_only:
        return same
    last = max((int(_number(version)) for version in (*recorded, *seen.failed)), default=0)
    failed = {_number(version) for version in seen.failed}
    return same | {v: None for number, v in versions.items() if int(number) <= last and number not in failed}


def _number(version: str) -> str:
    """`1` of `0001`, `1` and `0001_orders.sql`: tables of plain files write it in either way."""
    found = _LEADING.match(version)
    return (found[1].lstrip("0") or "0") if found else version


def _with_what_they_stand_on(heads: dict[str, None], files: tuple[MigrationFile, ...]) -> dict[str, None]:
    by_version = {file.version: file for file in files}
    found: dict[str, None] = {}
    waiting = list(heads)
    while waiting:
        version = waiting.pop()
        if version not in found:
            found[version] = None
            waiting += by_version[version].after if version in by_version else ()
    return found


def _says(
    seen: DatabaseSeen,
    ours: MigrationFiles,
    known: dict[str, MigrationFile],
    pending: tuple[str, ...],
    failed: tuple[str, ...],
    unknown: tuple[str, ...],
) -> str:
    def named(versions: tuple[str, ...]) -> str:
        way = {True: "has a way back", False: "has no way back"}
        said = [f"{v} ({way[known[v].has_way_back]})" if v in known else v for v in versions[:5]]
        return ", ".join(said) + (f" and {len(versions) - 5} more" if len(versions) > 5 else "")

    parts = [
        f"{what}: {named(versions)}"
        for what, versions in (("failed", failed), ("pending", pending), ("applied and unknown", unknown))
        if versions
    ]
    if seen.missing_objects:
        parts.append(f"not in the database: {', '.join(seen.missing_objects[:5])}")
    if not ours.complete:
        parts.append("not all migration files could be read")
    if not seen.table_there and known:
        parts.append("no migration was ever recorded there")
    return "; ".join(parts) or f"all {len(known)} migrations are applied, and every declared object is there"
