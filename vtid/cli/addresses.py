"""DATA_DIR/dev.json: where the running stack is, and the key to it."""

import fcntl
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

DEMO = "demo"  # the demo's own directory, below the one of `vtid dev`


@dataclass(frozen=True)
class Addresses:
    """What `dev.json` holds. `token` is the bootstrap key; `pids` are those of the stack's processes."""

    api: str
    temporal: str
    temporal_ui: str
    simulator: str | None
    token: str
    worker_metrics: str = ""
    namespace: str = "default"
    supervisor: int = 0
    pids: dict[str, int] = field(default_factory=dict)

    def ready_line(self) -> str:
        """The one line of JSON that tells a caller that everything is ready."""
        shown = ("api", "temporal", "temporal_ui", "simulator", "token", "worker_metrics")
        return json.dumps({"event": "ready"} | {key: getattr(self, key) for key in shown})


def dev_json(data_dir: Path) -> Path:
    """The file's path."""
    return data_dir / "dev.json"


def read_addresses(data_dir: Path) -> Addresses | None:
    """The addresses of the stack that runs on this data directory, or of its demo; None when none does."""
    directory = stack_dir(data_dir)
    with suppress(FileNotFoundError):  # it may stop at this moment
        return Addresses(**json.loads(dev_json(directory).read_text(encoding="utf-8"))) if directory else None
    return None


def stack_dir(data_dir: Path) -> Path | None:
    """Where the stack that runs on this data directory, or its demo, keeps its files; None when none runs."""
    return next((each for each in (data_dir, data_dir / DEMO) if dev_json(each).exists()), None)


def write_addresses(data_dir: Path, addresses: Addresses) -> None:
    """Replace the file as a whole, so that nobody reads half of it."""
    write_private(dev_json(data_dir), json.dumps(asdict(addresses), indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def keys(data_dir: Path) -> dict[str, str]:
    """The secrets of this data directory, made once: leases and tokens outlive a restart of the stack."""
    path = data_dir / "keys.json"
    names = ("token", "lease_key", "webhook_secret")
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if missing := {name: secrets.token_hex(32) for name in names if name not in known}:
        known |= missing
        write_private(path, json.dumps(known))
    return known


class DirectoryBusy(Exception):
    """Another stack runs on this data directory."""


def lock(data_dir: Path) -> IO[str]:
    """Hold the data directory until the file is closed. Raises DirectoryBusy when somebody else does."""
    file = (data_dir / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DirectoryBusy(
            f"another stack runs on {data_dir}; stop it, or name another directory with --data-dir"
        ) from error
    return file
