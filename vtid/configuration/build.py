"""Which build this is."""

import os
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@dataclass(frozen=True)
class Build:
    """version: of the package. commit: what it was built from; None when nothing tells."""

    version: str
    commit: str | None
    build: str


def _version() -> str:
    try:
        return version("vtid")
    except PackageNotFoundError:
        return "0"


def _commit() -> str | None:
    """The image says it in its environment; a clone says it itself."""
    if told := os.environ.get("GIT_COMMIT_SHA"):
        return told
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    command = ("git", "-C", str(root), "rev-parse", "HEAD")
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None  # no git, or no commit yet: the build is unknown, and that is what we say
    return asked.stdout.strip()


def _build() -> Build:
    commit = _commit()
    return Build(_version(), commit, f"{_version()}+{commit[:12] if commit else 'unknown'}")


BUILD = _build()
