"""The agencies' side: one PostgreSQL with its tables and views."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import asyncpg

from hub.kernel.db.embedded import EmbeddedPostgres
from tests.bench.city import CERTIFICATES, City
from tests.bench.manifests import DATABASE, READER, SQL, Supply

PORT = 5432  # the embedded PostgreSQL's; two of them never meet, as each takes a loopback address of its own
MOST_CONNECTIONS = 1000  # several contenders with a hundred for each agency
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


@contextmanager
def postgres(
    folder: Path, host: str, databases: tuple[str, ...], settings: Mapping[str, str] | None = None
) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL for the hubs' own databases and the sources, which also listens on ``host``."""
    wanted = {**(settings or {}), "listen_addresses": host, "max_connections": str(MOST_CONNECTIONS)}
    server = EmbeddedPostgres(folder, (*databases, DATABASE), settings=wanted)
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


async def fill(server: EmbeddedPostgres, host: str, city: City) -> Supply:
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
    return Supply(SQL, host, PORT, password)


def dsn(supply: Supply) -> str:
    """The connection URL of the reading role, over TCP: the same address for every contender."""
    return f"postgresql://{READER}:{quote(supply.password)}@{supply.host}:{supply.port}/{DATABASE}"
