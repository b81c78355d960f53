"""An agency's own PostgreSQL database, and the proxy by which it is reached."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

PASSWORD = "reader-secret"
SCHEMA = """
create schema open;
create table open.person (sfzh text, xm text, xb text, csrq text, zt text);
insert into open.person values
  ('11010519491231002X', ' 张三 ', '2', '19491231', '1'),
  ('360426199101010071', '李四', '1', '19910100', '1');
create view open.found as select * from open.person order by sfzh desc;
create view open.partial_batch as
  select sfzh, xm, xb, csrq, case when xm = '李四' then '9' else '1' end as zt from open.person;
create view open.duplicates as select * from open.person union all select * from open.person;
create view open.slow as select p.* from open.person p, lateral (select pg_sleep(20)) s;
create view open.server_error as
  select sfzh, xm, xb, csrq, (1 / (length(zt) - 1))::text as zt from open.person;
create view open.wrong_type as select sfzh, xm, xb, array[csrq] as csrq, zt from open.person;
create view open.too_large as select p.* from open.person p, generate_series(1, 1000);
"""


async def make_agency(admin_url: str) -> None:
    admin = await asyncpg.connect(admin_url)
    try:
        await admin.execute(SCHEMA)
        for role, extra in (("agency_reader", ""), ("agency_full", "connection limit 0")):
            if not await admin.fetchval("select exists (select from pg_roles where rolname = $1)", role):
                await admin.execute(f"create role {role} login password '{PASSWORD}' {extra}")
            await admin.execute(f"grant usage on schema open to {role}")
            await admin.execute(f"grant select on all tables in schema open to {role}")
    finally:
        await admin.close()


def socket_of(url: str) -> tuple[str, str]:
    """The socket file and the database that a connection URL names."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    folder = query.get("host") or unquote(parts.hostname or "")
    return f"{folder}/.s.PGSQL.{query.get('port', parts.port or 5432)}", parts.path.lstrip("/")


async def proxy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, socket: str, most: int | None
) -> None:
    """Carries bytes to a PostgreSQL socket and back, and breaks off after ``most``."""
    inner_reader, inner_writer = await asyncio.open_unix_connection(socket)

    async def forward() -> None:
        while piece := await reader.read(65_536):
            inner_writer.write(piece)
            await inner_writer.drain()

    forwarding = asyncio.create_task(forward())
    sent = 0
    try:
        while piece := await inner_reader.read(65_536):
            piece = piece if most is None else piece[: most - sent]
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            if sent == most:
                break
    finally:
        forwarding.cancel()
        await asyncio.gather(forwarding, return_exceptions=True)
        inner_writer.close()
