"""Where messages may be sent: never into our own network, unless somebody who configures us says so.

A subscriber's address is a request that we make in the subscriber's name. Without this a URL could reach what
only we can reach: cloud metadata, an admin port, a neighbour's database.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

LONGEST_URL = 2_000
_NAT64 = IPv6Network("64:ff9b::/96")  # such an address means the IPv4 address in its last 32 bits
Address = IPv4Address | IPv6Address


class InvalidDestination(ValueError):
    """Nothing is sent to this address; the text says what is allowed."""


@dataclass(frozen=True)
class Destinations:
    """loopback: whether this machine may be told, as in a development stack. networks: further ones that may."""

    loopback: bool = False
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def check_url(self, url: str) -> None:
        """Raise InvalidDestination for an address that no message may go to, as far as its text can tell."""
        parts = _parts(url)
        host = parts.hostname or ""
        literal = _literal(host)
        loops = host == "localhost" or (literal is not None and literal.is_loopback)
        if parts.scheme != "https" and not (parts.scheme == "http" and loops):
            raise InvalidDestination("expected https://… (plain http:// for loopback only)")
        if loops and not self.loopback:
            raise InvalidDestination("loopback may be told in a development stack only")
        if literal is not None and not self.admits(literal):
            raise InvalidDestination(_FORBIDDEN.format(literal))

    def admits(self, address: Address) -> bool:
        """Whether a connection to this address may be made."""
        meant = _meant(address)
        if meant.is_loopback:
            return self.loopback
        if any(meant in network for network in self.networks if network.version == meant.version):
            return True
        return meant.is_global and not meant.is_multicast

    def check_address(self, address: Address) -> None:
        """Raise InvalidDestination unless a connection to it may be made."""
        if not self.admits(address):
            raise InvalidDestination(_FORBIDDEN.format(address))


_FORBIDDEN = "{} is an address of a private network; VTID_NOTIFY_NETWORKS names those that may be told"


def _parts(url: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise InvalidDestination(f"an address has at most {LONGEST_URL} characters")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise InvalidDestination("an address has neither spaces nor control characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidDestination(f"this is no address: {error}") from error
    if not parts.hostname or port == 0:
        raise InvalidDestination("expected an address like https://example.com/hook")
    if parts.username is not None or parts.password is not None:
        raise InvalidDestination("no name or password in the address: the signature says who we are")
    if parts.fragment:
        raise InvalidDestination("no fragment (#…): it is never sent")
    return parts


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> Address:
    """The address that packets go to, where an IPv6 address only wraps an IPv4 one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
