"""Where no message may go."""

from ipaddress import ip_address, ip_network

import pytest

from vtid.domain.destinations import Destinations, InvalidDestination

ANYWHERE_PUBLIC = Destinations()
DEV = Destinations(loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "https://hooks.slack.com/services/T0/B0/secret",
        "https://example.com:8443/a?b=c",
        "https://93.184.215.14/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_public_https_addresses_are_told(url: str) -> None:
    ANYWHERE_PUBLIC.check_url(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/hook", "https://"),
        ("ftp://example.com/", "https://"),
        ("https://", "expected an address"),
        ("example.com/hook", "expected an address"),
        ("https://user:secret@example.com/", "no name or password"),
        ("https://example.com/#top", "fragment"),
        ("https://example.com/a b", "spaces"),
        ("https://example.com/\n", "control characters"),
        ("https://example.com:99999/", "no address"),
        ("https://[::1/", "no address"),
        ("https://" + "a" * 2_000 + ".com/", "at most"),
        ("http://127.0.0.1:8000/", "loopback"),
        ("https://localhost/", "loopback"),
        ("https://10.0.0.7/", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[fd00::1]/", "private network"),
    ],
)
def test_an_address_that_is_never_told_is_refused_with_the_reason(url: str, why: str) -> None:
    with pytest.raises(InvalidDestination, match=why):
        ANYWHERE_PUBLIC.check_url(url)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "127.0.0.1", "::1", "::", "fe80::1", "fd12::1", "ff02::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::",
    ],
)  # fmt: skip
def test_no_connection_is_made_into_a_private_network_however_it_is_written(address: str) -> None:
    assert not ANYWHERE_PUBLIC.admits(ip_address(address))


def test_loopback_is_told_in_a_development_stack() -> None:
    DEV.check_url("http://127.0.0.1:8000/hook")
    DEV.check_url("http://localhost:8000/hook")
    DEV.check_url("http://[::1]:8000/hook")
    assert not DEV.admits(ip_address("10.0.0.1"))


def test_a_network_that_is_named_may_be_told_but_only_by_https() -> None:
    inside = Destinations(networks=(ip_network("10.1.0.0/16"),))

    inside.check_url("https://10.1.2.3/hook")
    assert inside.admits(ip_address("::ffff:10.1.2.3"))
    assert not inside.admits(ip_address("10.2.0.1"))
    with pytest.raises(InvalidDestination, match="https"):
        inside.check_url("http://10.1.2.3/hook")
