"""Asks a database for the rows of many keys at once, and keeps what one session knows about how to."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

SEPARATOR = "\x1f"  # ASCII's own, between the units of a record
KEYS_AS_LIST = "$1"
KEYS_AS_TEXT = r"(select pg_catalog.string_to_array($1::text, E'\x1f'))::text[]"  # taken apart only once
TEXTS_OID = 1009  # of text[], in every PostgreSQL (pg_type.dat)
PREPARED_HIGHEST = 100  # statements of a session
if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Prepared = asyncpg.prepared_stmt.PreparedStatement[asyncpg.Record]


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A statement for many keys, in both the ways in which they can be sent."""

    by_list: str
    by_text: str


@dataclass(frozen=True, slots=True)
class Way:
    """How a selection is asked for in one session: text is sent as one, where the key column holds text."""

    statement: Prepared
    is_text: bool


class Session:
    """One connection, and the statements prepared in it.

    The driver looks at each element of a list, for longer than it takes PostgreSQL to take a text apart; and
    since a subquery hides how many keys there are, PostgreSQL soon keeps one plan for any number of them. Of
    what type the keys are it says itself, when it prepares a statement.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._ways: dict[Selection, Way] = {}

    async def select(self, selection: Selection, keys: tuple[str, ...]) -> list[asyncpg.Record]:
        """The rows. A view that has changed is looked at anew, except in a transaction, which is lost."""
        way = self._ways.get(selection) or await self._prepare(selection)
        try:
            return await self._fetch(way, selection, keys)
        except asyncpg.InvalidCachedStatementError:
            self._ways.clear()
            if self.connection.is_in_transaction():
                raise
            return await self._fetch(await self._prepare(selection), selection, keys)

    def _fetch(
        self, way: Way, selection: Selection, keys: tuple[str, ...]
    ) -> Awaitable[list[asyncpg.Record]]:
        if not way.is_text:
            return way.statement.fetch(keys)
        text = SEPARATOR.join(keys)
        if not text or text.count(SEPARATOR) != len(keys) - 1:  # no array, or another one
            return self.connection.fetch(selection.by_list, keys)
        return way.statement.fetch(text)

    async def _prepare(self, selection: Selection) -> Way:
        statement = await self.connection.prepare(selection.by_list)
        is_text = statement.get_parameters()[0].oid == TEXTS_OID
        if is_text:
            statement = await self.connection.prepare(selection.by_text)
        if len(self._ways) >= PREPARED_HIGHEST:
            del self._ways[next(iter(self._ways))]  # the oldest
        way = self._ways[selection] = Way(statement, is_text)
        return way
