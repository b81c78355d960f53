"""Lists the views of an agency's PostgreSQL with columns and a few rows, in a session that only reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import asyncpg

SECONDS = 10.0
ROWS = 200
VIEWS_HIGHEST = 500
COLUMNS_HIGHEST = 300
READ_ONLY: Mapping[str, str] = {
    "default_transaction_read_only": "on",
    "statement_timeout": "10000",
    "lock_timeout": "1000",
    "application_name": "proofless",
}
VIEWS = """
select n.nspname::text as schema, c.relname::text as name, obj_description(c.oid, 'pg_class') as title
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
and pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')
order by 1, 2 limit $1
"""
COLUMNS = """
select a.attname::text as name, t.typname::text as type,
pg_catalog.col_description(a.attrelid, a.attnum) as title
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_type t on t.oid = a.atttypid
where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped
order by a.attnum limit $3
"""
STATEMENT = "select pg_catalog.format('select * from %I.%I limit %s', $1::text, $2::text, $3::int)"


@dataclass(frozen=True, slots=True)
class View:
    """A view that may be read; ``title`` is its comment."""

    schema: str
    name: str
    title: str

    @property
    def full_name(self) -> str:
        """As a manifest names it."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column with its type's name in PostgreSQL, its comment, and what its first rows hold as text."""

    name: str
    type: str
    title: str
    values: tuple[str, ...]


class LoginRefused(Exception):  # noqa: N818 - it says what happened
    """The database takes no password, or not this one."""


class Unreachable(Exception):  # noqa: N818 - it says what happened
    """There is no connection, or no answer; never with the driver's words, which may hold values."""


async def list_views(url: str, password: str | None) -> tuple[View, ...]:
    """Every view that the user may read. ``password`` None: from PGPASSWORD or the password file."""
    connection = await _connect(url, password)
    try:
        rows = await connection.fetch(VIEWS, VIEWS_HIGHEST)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        raise Unreachable from None
    finally:
        connection.terminate()
    return tuple(View(row["schema"], row["name"], row["title"] or "") for row in rows)


async def read_view(url: str, password: str | None, view: View) -> tuple[ViewColumn, ...]:
    """The columns of a view with the values of its first rows, by which formats are guessed."""
    connection = await _connect(url, password)
    try:
        async with connection.transaction(readonly=True):
            columns = await connection.fetch(COLUMNS, view.schema, view.name, COLUMNS_HIGHEST)
            statement = await connection.fetchval(STATEMENT, view.schema, view.name, ROWS)
            rows = await connection.fetch(statement)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        raise Unreachable from None
    finally:
        connection.terminate()
    return tuple(
        ViewColumn(
            one["name"],
            one["type"],
            one["title"] or "",
            tuple(text for row in rows if (text := _shown(row[one["name"]])) is not None),
        )
        for one in columns
    )


async def _connect(url: str, password: str | None) -> asyncpg.Connection[asyncpg.Record]:
    try:
        return await asyncpg.connect(
            url, password=password, timeout=SECONDS, command_timeout=SECONDS, server_settings=dict(READ_ONLY)
        )
    except asyncpg.InvalidAuthorizationSpecificationError:
        raise LoginRefused from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError):
        raise Unreachable from None


def _shown(value: object) -> str | None:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value).strip() or None if isinstance(value, str | int | float | Decimal) else None
