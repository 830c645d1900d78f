"""The business process: one VTID, from approved spec to proven deployment."""
