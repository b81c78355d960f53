"""Sample manifests for tests, and what opens them against local services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_network

from prometheus_client import CollectorRegistry

from connectors.contract import Connector
from connectors.manifest import Manifest, read
from connectors.metering import Meter
from connectors.opening import open_connector
from connectors.transport import Transport
from connectors.wrappers import wrap

LOCAL = ((ip_network("127.0.0.0/8"), (range(1, 65_536),)), (ip_network("::1/128"), (range(1, 65_536),)))

HEAD = """
# What the connector is: an id, the agency's USCC, its kind, its name, and how much of the purpose it is told.
[connector]
id = "police-population"
agency = "11370300004220030X"
kind = "{kind}"
name = {{ zh = "人口信息", en = "Population" }}
tell = "none"

# Where it is. Nothing else is ever connected to.
[connector.address]
{address}

# What it bears. Everything here may be left out.
[connector.limits]
timeout_ms = 2000
concurrency = 8
attempts = 2
max_bytes = 20_000
max_rows = 50
breaker = {{ failures = 5, seconds = 10 }}
"""

FIELDS = """
# Each field: where it stands in a row, and what form it has there.
[offerings.fields]
name = "xm"
sex = { path = "xb", codes = { "1" = "1", "2" = "2" } }
birth_date = { path = "csrq", date = "YYYYMMDD", partial = true }

# Outcomes for one row.
[[offerings.outcomes]]
row = true
path = "zt"
equals = "1"
outcome = "found"
[[offerings.outcomes]]
row = true
path = "zt"
equals = "9"
outcome = "refused"
"""

OFFERING = """
[[offerings]]
name = "person"
record = "person"
key = "id_number"
batch = 10
freshness = "P1D"
absent = "missing"
"""

REST = (
    HEAD
    + OFFERING.replace("{", "{{").replace("}", "}}")
    + """
[offerings.request]
method = "POST"
path = "/people"
body = {{ keys = "$keys" }}
[offerings.response]
rows = "data"
key = "sfzh"
total = "total"
"""
    + FIELDS.replace("{", "{{").replace("}", "}}")
    + """
# Outcomes for the whole answer; what none of them matches is Unavailable.
[[offerings.outcomes]]
status = 200
path = "code"
equals = "0"
outcome = "found"
[[offerings.outcomes]]
status = 200
path = "code"
equals = "404"
outcome = "absent"
"""
)

GRAPHQL = (
    HEAD
    + OFFERING
    + """
[offerings.entity]
typename = "Person"
key = "sfzh"
"""
    + FIELDS.replace("{", "{{").replace("}", "}}")
    + """
[[offerings.outcomes]]
code = "FORBIDDEN"
outcome = "refused"
[[offerings.outcomes]]
code = "NOT_FOUND"
outcome = "absent"
[[offerings.outcomes]]
code = "BUSY"
outcome = "busy"
"""
)

SQL = (
    HEAD
    + """
[connector.credentials]
password = {{ slot = "password" }}
"""
    + OFFERING
    + """
[offerings.view]
name = "open.{view}"
key = "sfzh"
"""
    + FIELDS.replace("{", "{{").replace("}", "}}")
)


def rest(url: str, ca: str | None = None) -> str:
    return REST.format(kind="rest", address=_address(url, ca))


def graphql(url: str, ca: str | None = None) -> str:
    return GRAPHQL.format(kind="graphql", address=_address(url, ca))


def sql(port: int, database: str, view: str, user: str = "agency_reader", ca: str | None = None) -> str:
    tls = "tls = false" if ca is None else f'ca = """{ca}"""'
    address = f'host = "localhost"\nport = {port}\ndatabase = "{database}"\nuser = "{user}"\n{tls}'
    return SQL.format(kind="sql", address=address, view=view)


def manifest(text: str) -> Manifest:
    """The manifest of a text that must be right."""
    result = read(text)
    assert isinstance(result, Manifest), result
    return result


def now() -> datetime:
    return datetime(2026, 11, 22, 12, 0, 0, 500_000, tzinfo=UTC)


def transport() -> Transport:
    return Transport(LOCAL, (), now)


def opened(text: str, through: Transport, secrets: Mapping[str, str] | None = None) -> Connector:
    """A wrapped connector."""
    declared = manifest(text)
    bare = open_connector(declared, through, secrets or {}, now)
    return wrap(bare, declared, Meter(CollectorRegistry()))


def _address(url: str, ca: str | None) -> str:
    return f'url = "{url}"' + ("" if ca is None else f'\nca = """{ca}"""')
