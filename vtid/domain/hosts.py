"""Kinds of hosts where services run, and which links of the proof each of them can give.

One row for each adapter in vtid/adapters/hosts.py. What a host cannot show is no link of its chain: it is neither
shown as proven nor waited for.
"""

from dataclasses import dataclass

# Keys of a service in environments.yaml that are looked at only by way of this link.
KEYS_OF_LINKS: dict[str, tuple[str, ...]] = {
    "traffic": ("sha_witnesses",),
    "environment": ("env", "secrets", "required_env", "required_secrets"),
}


@dataclass(frozen=True)
class Host:
    """One kind of host.

    title: as people read it. address_key: the key of environments.yaml that says which service is meant. links: what
    is asked about a service after its deploy run, in the order of the chain; the live answer is always among them.
    """

    name: str
    title: str
    address_key: str
    links: tuple[str, ...]
    shifts_traffic: bool
    says: str

    @property
    def names_commits(self) -> bool:
        """Whether the host itself claims which commit it serves. Elsewhere the deploy run is the only claim."""
        return "traffic" in self.links

    @property
    def shows_variables(self) -> bool:
        return "environment" in self.links

    @property
    def keys_without_use(self) -> tuple[str, ...]:
        """Keys that nothing here could hold against what runs."""
        others = {host.address_key for host in HOSTS.values()} - {self.address_key}
        unseen = (key for link, keys in KEYS_OF_LINKS.items() if link not in self.links for key in keys)
        return (*sorted(others), *unseen)


# fmt: off
_ROWS = (
    #    name            title                 key          links                                                                     traffic
    Host("cloud_run",    "Cloud Run",          "cloud_run", ("image_digest", "revision", "traffic", "environment", "live_answer"), True,
         "Google Cloud Run: revisions, traffic and variables are seen, and the address is discovered"),
    Host("http_version", "the service itself", "url",       ("live_answer",),                                                        False,
         "anything that tells its commit at an address: a cluster, a machine, another platform. Nothing else of it is seen"),
)
# fmt: on
HOSTS: dict[str, Host] = {row.name: row for row in _ROWS}
