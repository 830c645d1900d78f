"""Print our own OpenAPI document, without a database or a Temporal server.

.venv/bin/python scripts/openapi.py > openapi.json
"""

import asyncio
import json
import sys
from typing import Any, cast

from api.app import create_app
from api.engine import Engine
from api.options import Options
from vtid.ledger import Ledger
from vtid.ledger.database import Database

KEY = "only describes, so that nothing is ever signed with it"


async def document() -> dict[str, Any]:
    """The document, from the routes alone: nothing that they are given is ever asked."""
    ledger = Ledger(Database("sqlite+aiosqlite:///never-opened.db"))
    try:
        return create_app(ledger, cast(Engine, None), {}, Options(signing_key=KEY)).openapi()
    finally:
        await ledger.close()


if __name__ == "__main__":
    json.dump(asyncio.run(document()), sys.stdout)
