"""The agencies' side: one PostgreSQL with its tables and views, and the hub's manifests for it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import asyncpg

from hub.kernel.db.embedded import EmbeddedPostgres
from tests.bench.city import CERTIFICATES, LICENCE, City

PORT = 5432  # the embedded PostgreSQL's; two of them never meet, as each takes a loopback address of its own
DATABASE = "sources"
READER = "bench_reader"
TABLES = """
create schema open;
create table open.person (
    id_number text primary key, name text, sex text, birth_date date, address text
);
create table open.certificate (
    type text, identifier text, number text, holder text, issued_on date, valid_until date, status text
);
create table open.business (
    uscc text primary key, name text, status text, address text, legal_representative text
);
create table open.business_role (person_id text, uscc text, role text, since date);
create table open.licence (
    identifier text, number text, holder text, issued_on date, valid_until date, status text
);
"""
INDEXES = """
create index on open.certificate (holder, type);
create index on open.business_role (person_id);
create index on open.licence (holder);
grant usage on schema open to bench_reader;
grant select on all tables in schema open to bench_reader;
"""
VIEW = "create view open.{0} as select * from open.certificate where type = '{0}'"
HEAD = Template("""
[connector]
id = "$id"
agency = "$agency"
kind = "sql"
name = { zh = "$id", en = "$id" }
tell = "none"
[connector.address]
host = "$host"
port = $port
database = "$database"
user = "$user"
tls = false
[connector.credentials]
password = { slot = "password" }
[connector.limits]
concurrency = 100
""")
OFFERING = Template("""
[[offerings]]
name = "$record"
record = "$record"
key = "$key"
many = $many
batch = 1000
freshness = "PT0S"
absent = "missing"
[offerings.view]
name = "open.$view"
key = "$key"
[offerings.fields]
$fields
""")
PERSON = """
name = "name"
sex = { path = "sex", codes = { "0" = "0", "1" = "1", "2" = "2", "9" = "9" } }
birth_date = { path = "birth_date", date = "iso" }
address = "address"
"""
ROLE = """
uscc = "uscc"
role = { path = "role", codes = { "SHAREHOLDER" = "SHAREHOLDER" } }
since = { path = "since", date = "iso" }
"""
BUSINESS = """
name = "name"
status = { path = "status", codes = { "ACTIVE" = "ACTIVE", "REVOKED" = "REVOKED" } }
address = "address"
legal_representative = "legal_representative"
"""
CERTIFICATE = """
identifier = "identifier"
number = "number"
issued_on = { path = "issued_on", date = "iso" }
valid_until = { path = "valid_until", date = "iso" }
status = { path = "status", codes = { "01" = "01", "04" = "04", "05" = "05", "07" = "07" } }
"""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the agencies' database answers, over TCP: the same address for every contender."""

    host: str
    password: str
    port: int = PORT

    @property
    def dsn(self) -> str:
        """The connection URL of the reading role."""
        return f"postgresql://{READER}:{self.password}@{self.host}:{self.port}/{DATABASE}"


@contextmanager
def postgres(
    folder: Path, host: str, settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL for the hub's own database and the sources, which also listens on ``host``."""
    wanted = {"listen_addresses": host, **(settings or {})}
    server = EmbeddedPostgres(folder, ("hub", DATABASE), settings=wanted)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_host() -> str:
    """A loopback address (RFC 1122, 127/8) where nobody listens on PostgreSQL's port."""
    while True:
        host = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}.{secrets.randbelow(254) + 1}"
        with closing(socket.socket()) as probe:
            if probe.connect_ex((host, PORT)) != 0:
                return host


async def fill(server: EmbeddedPostgres, host: str, city: City) -> Sources:
    """Writes the city into the sources' database, with the role that may read it."""
    password = secrets.token_urlsafe(18)
    connection = await asyncpg.connect(server.dsn("postgres", DATABASE))
    try:
        await connection.execute(f"create role {READER} login password '{password}'")
        await connection.execute(f"grant connect on database {DATABASE} to {READER}")
        await connection.execute(TABLES)
        for table, lines in city.lines.items():
            await connection.copy_records_to_table(table, schema_name="open", records=lines)
        for code in CERTIFICATES:
            await connection.execute(VIEW.format(code))
        await connection.execute(INDEXES)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return Sources(host, password)


def manifests(sources: Sources, agencies: Mapping[str, str]) -> dict[str, str]:
    """One manifest for each of the three agencies, by connector; ``agencies`` gives their codes."""
    parts = {
        "police": [("person", "id_number", "person", PERSON)],
        "market": [
            ("business_role", "person_id", "business_role", ROLE),
            ("business", "uscc", "business", BUSINESS),
        ],
        "licences": [
            *((code, "holder", code, CERTIFICATE) for code in CERTIFICATES),
            (LICENCE, "holder", "licence", CERTIFICATE),
        ],
    }
    return {
        name: _head(name, agencies[name], sources) + "".join(_offering(*part) for part in offered)
        for name, offered in parts.items()
    }


def _head(name: str, agency: str, sources: Sources) -> str:
    return HEAD.substitute(
        id=name, agency=agency, host=sources.host, port=sources.port, database=DATABASE, user=READER
    )


def _offering(record: str, key: str, view: str, fields: str) -> str:
    many = "false" if record in ("person", "business") else "true"
    return OFFERING.substitute(record=record, key=key, view=view, many=many, fields=fields)
