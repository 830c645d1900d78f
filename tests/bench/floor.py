"""The framework's floor: one FastAPI route that answers with the bytes of a file, served as our API is.

`python -m tests.bench.floor FILE PORT`
"""

import asyncio
import sys
from pathlib import Path

from fastapi import FastAPI, Response

from api.serving import Server
from vtid.cli.ports import LOOPBACK


def floor(content: bytes) -> FastAPI:
    """The least that FastAPI can do to answer a GET of a run."""
    app = FastAPI()

    @app.get("/api/v1/runs/{vtid}")
    async def show_run(vtid: str) -> Response:
        return Response(content, media_type="application/json")

    return app


if __name__ == "__main__":
    answer = Path(sys.argv[1]).read_bytes()
    asyncio.run(Server(floor(answer), host=LOOPBACK, port=int(sys.argv[2])).serve())
