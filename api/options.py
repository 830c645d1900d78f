"""How the API is set up, in its own words; `__main__` makes them from the settings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """signing_key signs leases and sessions. bootstrap: the admin key of a development stack.

    max_unfinished: from how many unfinished runs on new ones are refused with 429. window: how many
    events the live stream keeps in memory.
    """

    signing_key: str
    dev: bool = False
    bootstrap: str | None = None
    hosts: tuple[str, ...] = ()
    page_url: str = ""
    temporal_ui: str | None = None
    namespace: str = "default"
    max_unfinished: int = 2_000
    look_seconds: float = 0.5
    reconcile_seconds: float = 10.0
    window: int = 2_000
