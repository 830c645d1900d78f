"""PostgreSQL databases that come and go with a test."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg  # type: ignore[import-untyped]


@asynccontextmanager
async def new_database(server: str, template: str = "template1") -> AsyncIterator[str]:
    """The address of a new database, copied from a template, dropped at the end."""
    name = f"ledger_{uuid.uuid4().hex}"
    await ask(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield f"{server}/{name}"
    await ask(server, f'DROP DATABASE "{name}" WITH (FORCE)')


async def ask(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server.replace("+asyncpg", "") + "/postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
