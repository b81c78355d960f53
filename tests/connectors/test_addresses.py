"""Which addresses are open to connectors, in every form that an address can be written in."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from connectors.addresses import Endpoint, Guard, endpoints_of, parse
from tests.connectors import samples

APPROVED = (
    (ip_network("10.20.0.0/16"), (range(443, 444), range(8000, 8101))),
    (ip_network("fd12::/64"), (range(443, 444),)),
)
OWN = (Endpoint(parse("10.20.0.5"), 443), Endpoint(None, 8050))


@pytest.mark.parametrize(
    ("address", "port", "permitted"),
    [
        ("8.8.8.8", 443, True),
        ("2606:4700::1111", 443, True),
        ("10.20.1.1", 443, True),
        ("10.20.1.1", 8100, True),
        ("10.20.1.1", 8101, False),
        ("10.20.1.1", 22, False),
        ("10.21.1.1", 443, False),
        ("::ffff:10.20.1.1", 443, True),
        ("::ffff:10.21.1.1", 443, False),
        ("fd12::1", 443, True),
        ("fd13::1", 443, False),
        ("127.0.0.1", 443, False),
        ("::1", 443, False),
        ("::ffff:127.0.0.1", 443, False),
        ("0.0.0.0", 443, False),
        ("::", 443, False),
        ("169.254.169.254", 80, False),
        ("::ffff:169.254.169.254", 80, False),
        ("::169.254.169.254", 80, False),
        ("64:ff9b::a9fe:a9fe", 80, False),
        ("2002:a9fe:a9fe::", 80, False),
        ("2002:7f00:1::", 80, False),
        ("fd00:ec2::254", 80, False),
        ("100.100.100.200", 80, False),
        ("168.63.129.16", 80, False),
        ("fe80::1%eth0", 443, False),
        ("fec0::1", 443, False),
        ("100.64.0.1", 443, False),
        ("224.0.0.1", 443, False),
        ("255.255.255.255", 443, False),
        ("10.20.0.5", 443, False),
        ("10.20.0.5", 8000, True),
        ("64:ff9b:1::808:808", 443, False),  # NAT64 of one's own choice: nobody can tell whom it means
        ("::ffff:0:8.8.8.8", 443, True),  # SIIT's IPv4-translated form
        ("::ffff:0:127.0.0.1", 443, False),
        ("::ffff:0:169.254.169.254", 80, False),
        ("::ffff:0:10.20.1.1", 443, True),
        ("::ffff:0:10.20.0.5", 443, False),
        ("64:ff9b::8.8.8.8", 443, True),
        ("2002:808:808::", 443, True),
        ("2001:0:808:808::80ff:fffe", 443, False),  # Teredo, its client 127.0.0.1
        ("2001:0:808:808::f7f7:f7f7", 443, False),  # Teredo, its client 8.8.8.8
        ("5f00::1", 443, False),  # segment routing
        ("3fff::1", 443, False),  # documentation
        ("2001:db8::1", 443, False),
        ("2001:2::1", 443, False),  # benchmarking
        ("4000::1", 443, False),  # handed out to nobody
        ("100::1", 443, False),  # discarded
        ("192.88.99.1", 443, False),  # relays of 6to4
        ("2002:c058:6301::", 443, False),
        ("240.0.0.1", 443, False),
    ],
)
def test_addresses(address: str, port: int, permitted: bool) -> None:
    assert Guard(APPROVED, OWN).permits(parse(address), port) is permitted


def test_what_must_never_be_reached_cannot_be_approved() -> None:
    everything = ((ip_network("0.0.0.0/0"), (range(1, 65_536),)), (ip_network("::/0"), (range(1, 65_536),)))
    guard = Guard(everything, (Endpoint(None, 8300), Endpoint(parse("192.168.7.7"), 5432)))
    for address, port in [
        ("169.254.169.254", 80),
        ("fd00:ec2::254", 80),
        ("0.0.0.0", 80),
        ("127.0.0.1", 8300),
        ("127.9.9.9", 8300),
        ("::1", 8300),
        ("::ffff:127.0.0.1", 8300),
        ("192.168.7.7", 5432),
        ("64:ff9b:1::c0a8:708", 5432),
        ("::ffff:0:127.0.0.1", 8300),
        ("::ffff:0:192.168.7.7", 5432),
        ("2001:0:808:808::3f57:f8f8", 5432),
    ]:
        assert not guard.permits(parse(address), port), address
    assert guard.permits(parse("127.0.0.1"), 8301)
    assert guard.permits(parse("192.168.7.8"), 5432)


def test_an_endpoint_at_one_loopback_address_closes_them_all() -> None:
    guard = Guard(samples.LOCAL, endpoints_of("127.0.0.1", 8300))
    assert not guard.permits(parse("127.0.0.2"), 8300)
    assert not guard.permits(parse("::1"), 8300)
    assert guard.permits(parse("127.0.0.2"), 8301)


def test_endpoints() -> None:
    assert endpoints_of("0.0.0.0", 1) == (Endpoint(None, 1),)
    assert endpoints_of("10.1.2.3", 5432) == (Endpoint(parse("10.1.2.3"), 5432),)
    assert endpoints_of("no.such.host.invalid", 5432) == ()
