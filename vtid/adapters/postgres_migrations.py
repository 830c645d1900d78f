"""MigrationsHost over PostgreSQL: which versions a database has, and whether declared objects are in it. Reads only."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from vtid.domain.errors import BadReply, Denied, Missing, OutsideError, Unavailable
from vtid.domain.migrations import DatabaseSeen, Migrations, Tool

SYSTEM = "DATABASE"
_SECONDS = 5.0  # of the connection, and of each question
_KINDS = {"table": "rp", "view": "vm", "index": "iI", "sequence": "S"}  # pg_class.relkind

Row = Mapping[str, Any]


class PostgresMigrations:
    """Databases whose addresses stand in the variables or files of this process. An error never tells an address."""

    def __init__(self, environ: Mapping[str, str], *, seconds: float = _SECONDS) -> None:
        self._environ = environ
        self._seconds = seconds

    async def migrations(self, declared: Migrations) -> DatabaseSeen:
        """What the database says now. Raises the errors of vtid.domain.errors only."""
        address = self._address(declared)
        async with self._connected(address) as connection:
            rows = await _rows(connection, declared.table)
            missing = [each for each in declared.objects if not await _is_there(connection, each)]
        seen = _seen(declared.tool, rows) if rows is not None else DatabaseSeen(False)
        return DatabaseSeen(
            seen.table_there, seen.applied, seen.failed, seen.current_only, missing_objects=tuple(missing)
        )

    def _address(self, declared: Migrations) -> str:
        if declared.database_url_file is not None:
            try:
                address = Path(declared.database_url_file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                text = f"the file {declared.database_url_file} cannot be read: {type(error).__name__}"
                raise Missing(SYSTEM, text) from None
        else:
            name = declared.database_url_env or ""
            address = self._environ.get(name, "")
            if not address:
                raise Missing(SYSTEM, f"the worker has no variable {name}")
        return address.replace("postgresql+asyncpg://", "postgresql://", 1)

    @asynccontextmanager
    async def _connected(self, address: str) -> AsyncIterator[Any]:
        connection = None
        try:
            connection = await asyncpg.connect(
                address,
                timeout=self._seconds,
                command_timeout=self._seconds,
                server_settings={"default_transaction_read_only": "on", "application_name": "vtid"},
            )
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ValueError) as error:
            raise _sorted(error) from None  # the cause may carry the address
        finally:
            if connection is not None:
                connection.terminate()


def _sorted(error: Exception) -> OutsideError:
    """The error in our words. A driver's sentence is kept only where the server itself said it."""
    state = str(getattr(error, "sqlstate", None) or "")
    said = f"{type(error).__name__}: {error}" if state else type(error).__name__
    if state.startswith("28") or state == "42501":
        return Denied(SYSTEM, f"the database refuses us: {said}")
    if isinstance(error, ValueError) and not state:
        return Missing(SYSTEM, "the database's address is no PostgreSQL address")
    if state.startswith("42"):
        return BadReply(SYSTEM, f"the table of versions is another one than declared: {said}")
    return Unavailable(SYSTEM, f"the database cannot be asked: {said}")


async def _rows(connection: Any, table: str) -> list[Row] | None:
    """Every row of the table of versions; None when there is no such table."""
    if await connection.fetchval("SELECT to_regclass($1)", table) is None:
        return None
    name = ".".join(f'"{part}"' for part in table.split("."))
    rows: list[Row] = await connection.fetch(f"SELECT * FROM {name}")  # noqa: S608 - checked when it was declared
    return rows


def _seen(tool: Tool, rows: list[Row]) -> DatabaseSeen:
    try:
        match tool:
            case Tool.PRISMA:
                return _of_prisma(rows)
            case Tool.ALEMBIC:
                return DatabaseSeen(True, tuple(str(row["version_num"]) for row in rows))
            case _:
                return _of_plain(rows)
    except KeyError as error:
        raise BadReply(SYSTEM, f"the table of versions has no column {error}") from None


def _of_prisma(rows: list[Row]) -> DatabaseSeen:
    """A row is begun, then finished or rolled back; a rolled back migration is to be applied again."""
    finished = [row for row in rows if row["finished_at"] is not None and row["rolled_back_at"] is None]
    hanging = [row for row in rows if row["finished_at"] is None and row["rolled_back_at"] is None]
    return DatabaseSeen(
        True,
        tuple(str(row["migration_name"]) for row in finished),
        tuple(str(row["migration_name"]) for row in hanging),
    )


def _of_plain(rows: list[Row]) -> DatabaseSeen:
    """One row for each version; or, where there is a column `dirty`, one row with the last version alone."""
    if not rows or "dirty" not in rows[0]:
        return DatabaseSeen(True, tuple(str(row["version"]) for row in rows))
    clean = tuple(str(row["version"]) for row in rows if not row["dirty"])
    dirty = tuple(str(row["version"]) for row in rows if row["dirty"])
    return DatabaseSeen(True, clean, dirty, current_only=True)


async def _is_there(connection: Any, declared: str) -> bool:
    kind, _, name = declared.partition(":")
    if kind == "column":
        table, _, column = name.rpartition(".")
        question = (
            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 "
            "AND attnum > 0 AND NOT attisdropped)"
        )
        return bool(await connection.fetchval(question, table, column))
    if kind == "function":
        question = (
            "SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE p.proname = $2 AND CASE WHEN $1 = '' THEN pg_function_is_visible(p.oid) ELSE n.nspname = $1 END)"
        )
        schema, _, function = name.rpartition(".")
        return bool(await connection.fetchval(question, schema, function))
    if kind == "type":
        return await connection.fetchval("SELECT to_regtype($1)", name) is not None
    question = (
        'SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = ANY($2::"char"[]))'
    )
    return bool(await connection.fetchval(question, name, [each.encode() for each in _KINDS[kind]]))
