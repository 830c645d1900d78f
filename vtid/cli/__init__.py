"""The `vtid` command: a client of the HTTP API, and the supervisor of the development stack."""
