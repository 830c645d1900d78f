"""Keys that an installation makes for itself and keeps in files that only their owner can read."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path


def kept(path: Path, make: Callable[[], str]) -> str:
    """The key in this file; made on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path, make())
    return path.read_text()


def _create(path: Path, text: str) -> None:
    """Create the file complete or not at all; if somebody was faster, theirs stays."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
