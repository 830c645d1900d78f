"""The files of a commit on GitHub."""

import base64
from functools import lru_cache
from typing import Any

from vtid.adapters.errors import reading
from vtid.adapters.github_answers import SYSTEM
from vtid.adapters.github_wire import GitHubWire, part, place
from vtid.domain.migrations import MigrationFiles, Migrations, files_of, needs_texts

MOST_TEXTS = 2_000  # of one commit that are read
_KEPT_TEXTS = 4_000  # a blob never changes, so it is read once


def migration_files(wire: GitHubWire, repository: str, ref: str, migrations: Migrations) -> MigrationFiles:
    """The migrations of a commit or a branch's tip; incomplete where GitHub shows only part of a large tree."""
    address = f"{place(repository)}/git/trees/{part(ref)}"
    data = wire.get(address, recursive="1")
    with reading(SYSTEM, address):
        blobs = {str(each["path"]): str(each["sha"]) for each in data["tree"] if each["type"] == "blob"}
        complete = not data["truncated"]
    wanted = {path: sha for path, sha in blobs.items() if needs_texts(migrations, path)}
    complete = complete and len(wanted) <= MOST_TEXTS
    texts = {path: text_of(wire, repository, sha) for path, sha in list(wanted.items())[:MOST_TEXTS]}
    return MigrationFiles(files_of(migrations, blobs, texts), complete)


@lru_cache(_KEPT_TEXTS)
def text_of(wire: GitHubWire, repository: str, sha: str) -> str:
    """The content of a blob."""
    address = f"{place(repository)}/git/blobs/{part(sha)}"
    data: Any = wire.get(address)
    with reading(SYSTEM, address):
        return base64.b64decode(data["content"]).decode("utf-8", "replace")
