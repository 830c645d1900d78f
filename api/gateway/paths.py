"""Which paths belong to the old gateway: they have their own shape of errors, and their own guests."""

_PREFIXES = (
    "/api/v1/oasis/",
    "/api/v1/vtid/",
    "/api/v1/worker/",
    "/api/v1/agents/registry/",
    "/api/v1/commandhub/",
    "/api/v1/execute/",
    "/rest/v1/",
)


def is_gateway(path: str) -> bool:
    """Whether old clients call this path."""
    return f"{path}/".startswith(_PREFIXES)


def is_foreign_key(path: str) -> bool:
    """Whether a bearer key on this path may be another system's: old workers wrote their events to its database.

    A key that we do not know is not held against such a caller: it counts as none.
    """
    return path.startswith("/rest/v1/")
