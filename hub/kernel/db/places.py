"""Reads from a connection URL where its database listens, as far as the network goes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

from hub.kernel.errors import Code, HubError
from hub.kernel.settings import driver_environment

DEFAULT_PORT = 5432
DEFAULT_HOST = "localhost"  # what the driver tries after the usual sockets
LAST_PORT = 65_535
READABLE = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with / ? # @ : % in a password percent-encoded"
BRACKETED = re.compile(r"\[([^\]]+)\](?::([0-9]*))?")
PLAIN = re.compile(r"([^:\[\]]+)(?::([0-9]*))?")
Place = tuple[str, int]


def places(url: str, environ: Mapping[str, str] | None = None) -> tuple[Place, ...]:
    """Every host and port that the URL names, in its authority or its query; none for a socket in a folder.

    Connection URIs of libpq (PostgreSQL manual, 34.1.1): several hosts, percent-encoding, ``?host=…&port=…``;
    what the URL leaves open the driver takes from PGHOST and PGPORT (34.15). Where libpq and the driver
    disagree on which of two counts, both are told. Raises ValueError, without the URL, when it cannot be
    read, or names a service file in which the place stands.
    """
    environ = driver_environment() if environ is None else environ
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        raise ValueError("not a connection URL") from None
    if "service" in query or environ.get("PGSERVICE"):
        raise ValueError("the place stands in a service file")
    written = [unquote(one) for one in _listed([parts.netloc.partition("@")[2] or _bare(parts.netloc)])]
    written += _listed([*query.get("host", []), *query.get("hostaddr", [])])
    written = (
        written or [*_listed([environ.get("PGHOST", ""), environ.get("PGHOSTADDR", "")])] or [DEFAULT_HOST]
    )
    ports = tuple(map(_port, _listed(query.get("port", []))))
    usual = tuple(map(_port, _listed([environ.get("PGPORT", "")]))) or (DEFAULT_PORT,)
    found = (_read(one, ports, usual) for one in written if not one.startswith(("/", "@")))
    return tuple(dict.fromkeys(place for some in found for place in some))


def require_readable(url: str, setting: str) -> None:
    """HubError(SETTING_INVALID), without the URL, where ``places`` cannot read it.

    The driver would say what it cannot read, and that may be a password with a sign that is not encoded.
    """
    try:
        places(url)
    except ValueError:
        raise HubError(Code.SETTING_INVALID, setting=setting, rule=READABLE) from None


def _bare(authority: str) -> str:
    return "" if "@" in authority else authority


def _listed(texts: Iterable[str]) -> Iterator[str]:
    return (one for text in texts if text for one in text.split(","))


def _read(written: str, ports: tuple[int, ...], usual: tuple[int, ...]) -> Iterator[Place]:
    host, port = _split(written)
    own = () if port is None else (port,)
    return ((host, each) for each in (*own, *ports) or usual)


def _split(written: str) -> tuple[str, int | None]:
    try:
        return str(ip_address(written)), None  # IPv6 needs no brackets in a query
    except ValueError:
        found = BRACKETED.fullmatch(written) or PLAIN.fullmatch(written)
    if found is None:
        raise ValueError("not a host")
    return found[1], _port(found[2]) if found[2] else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LAST_PORT):
        raise ValueError("not a port")
    return int(text)
