"""The orchestrator that cannot lie: one VTID, from approved spec to proven deployment."""

__version__ = "0.1.0"
