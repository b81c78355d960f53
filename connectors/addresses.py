"""Decides to which network addresses the hub may connect on an agency's behalf (against SSRF)."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Approved = tuple[Network, tuple[range, ...]]

# Metadata of clouds (AWS, Azure, Alibaba, Google, Oracle), link- and site-local and unspecified addresses;
# and ways to an IPv4 address that the address does not tell: NAT64 of one's own choice (RFC 8215), Teredo.
NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
        "64:ff9b:1::/48",
        "2001::/32",
    )
)
TRANSLATED = (
    ip_network("64:ff9b::/96"),  # NAT64
    ip_network("::ffff:0:0:0/96"),  # SIIT's IPv4-translated form
)
COMPATIBLE = ip_network("::/96")
UNICAST = ip_network("2000::/3")  # all of IPv6 that IANA hands out
SPECIAL = tuple(  # not the public Internet's all the same: IANA's special-purpose registries, RFC 6890
    ip_network(text)
    for text in (
        "192.88.99.0/24",  # relays of 6to4, RFC 7526
        "2001::/23",  # protocol assignments: benchmarking, ORCHID and others
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and port of the hub or its database; ``address`` None is every address of this machine."""

    address: Address | None
    port: int


class AddressRefused(OSError):  # noqa: N818 - it says what became of the address
    """The address is not one to which this connection may go."""


def endpoints_of(host: str, port: int) -> tuple[Endpoint, ...]:
    """Every endpoint that ``host`` and ``port`` name now; a wildcard is every address of this machine.

    A host that cannot be resolved has none. Blocks; for the start of a process.
    """
    if host in ("", "*", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return (Endpoint(None, port),)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple({Endpoint(innermost(parse(str(entry[4][0]))), port) for entry in found})


def parse(text: str) -> Address:
    """An address without its IPv6 zone."""
    return ip_address(text.partition("%")[0])


def innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, else itself.

    Mapped (RFC 4291), 6to4 (RFC 3056), NAT64 (RFC 6052), IPv4-translated (RFC 2765), compatible (RFC 4291).
    """
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    is_translated = any(address in network for network in TRANSLATED)
    if inner is None and (is_translated or (address in COMPATIBLE and int(address) > 1)):
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or address


def is_public(address: Address) -> bool:
    """Whether the address is one of the public Internet's, IPv6 only within what IANA hands out."""
    if any(address in network for network in SPECIAL):
        return False
    return address.is_global and (address.version == 4 or address in UNICAST)


class Guard:
    """Knows the operator's approved networks and the hub's own endpoints."""

    def __init__(self, approved: tuple[Approved, ...], own: tuple[Endpoint, ...]) -> None:
        self._approved = approved
        self._own = own

    def permits(self, address: Address, port: int) -> bool:
        """Public, or in an approved network and port range; never the hub's or its database's own."""
        outer, address = address, innermost(address)
        if any(one in network for one in (outer, address) for network in NEVER) or address.is_multicast:
            return False
        if self._is_own(address, port):
            return False
        return is_public(address) or self._is_approved(address, port)

    def _is_approved(self, address: Address, port: int) -> bool:
        return any(
            address in network and any(port in ports for ports in ranges)
            for network, ranges in self._approved
        )

    def _is_own(self, address: Address, port: int) -> bool:
        for endpoint in self._own:
            if endpoint.port != port:
                continue
            if endpoint.address == address:
                return True
            if _is_of_this_machine(address) and _reaches_this_machine(endpoint):
                return True
        return False


def _reaches_this_machine(endpoint: Endpoint) -> bool:
    return endpoint.address is None or _is_of_this_machine(endpoint.address)


def _is_of_this_machine(address: Address) -> bool:
    """Only an address of its own can be bound; binding sends nothing."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
