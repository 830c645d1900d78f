"""What a run reads from the ledger of its task, and what it tells it."""

from dataclasses import dataclass
from datetime import datetime

from vtid.domain.events import RunEvent
from vtid.domain.merged_before import Approval


@dataclass(frozen=True)
class ReadArmed:
    """Read the emergency stop."""


@dataclass(frozen=True)
class Armed:
    armed: bool
    reason: str = ""


@dataclass(frozen=True)
class LoadTask:
    vtid: str
    spec_hash: str


@dataclass(frozen=True)
class LoadedTask:
    """The task as the ledger has it now; hashes None when there is no spec or no approval.

    approvals: those of its spec, of every version; the newest when there were very many.
    """

    vtid: str
    status: str
    created_at: datetime
    spec_hash: str | None
    spec_bytes_hash: str | None
    approved_hash: str | None
    armed: Armed | None = None  # the emergency stop, read in the same step
    current_run_id: str | None = None  # None: the ledger does not know yet which one it is
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True)
class RecordEvents:
    vtid: str
    run_id: str
    start_id: str
    events: tuple[RunEvent, ...]
