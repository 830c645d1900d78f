"""How the API is set up, in its own words; `__main__` makes them from the settings."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from vtid.domain.destinations import Destinations


@dataclass(frozen=True)
class Options:
    """signing_key signs leases and sessions. bootstrap: the admin key of a development stack.

    max_unfinished: from how many unfinished runs on new ones are refused with 429. window: how many
    events the live stream keeps in memory. gateway_networks: from where old workers may call without a
    key, besides loopback in dev. gateway_wait_seconds: how long their claim waits for an order that is
    being prepared. gateway_hold_seconds: how long `oasis/tasks/{vtid}/complete` waits for the proof.
    gateway_look_seconds: the pause between two looks at evidence that GitHub could not be asked about.
    webhook_secrets: any of them may have signed GitHub's webhooks; none: every webhook is refused.
    notify_networks: private networks into which notifications may be sent, besides loopback in dev.
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
    gateway_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    gateway_wait_seconds: float = 10.0
    gateway_hold_seconds: float = 60.0
    gateway_look_seconds: float = 5.0
    webhook_secrets: tuple[str, ...] = ()
    notify_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def destinations(self) -> Destinations:
        """Where notifications may be sent."""
        return Destinations(loopback=self.dev, networks=self.notify_networks)
