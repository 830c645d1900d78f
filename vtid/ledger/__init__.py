"""The ledger: tasks, specs, runs, work orders and the append-only event log, on SQLite or PostgreSQL."""

from vtid.ledger.errors import LedgerUnavailable, NotMigrated, Refusal, Stale, Unknown
from vtid.ledger.ledger import Ledger

__all__ = ["Ledger", "LedgerUnavailable", "NotMigrated", "Refusal", "Stale", "Unknown"]
