"""The hub's connections to PostgreSQL: leased, never reset, and replaced by themselves after a loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType

import asyncpg
from asyncpg.transaction import Transaction

from hub.kernel.db.listener import Listener
from hub.kernel.db.reach import Reach, state_of
from hub.kernel.errors import Code, HubError

APPLICATION = "hub"
# InternalClientError is what a connection says that lost its server between two statements.
LOSSES = (OSError, EOFError, asyncpg.InterfaceError, asyncpg.InternalClientError)
FAILURES = (asyncpg.PostgresError, *LOSSES)
AWAY_CLASSES = frozenset({"08", "53", "57", "58"})  # connection, resources (disk full), operator, system
AWAY_STATES = frozenset({"25006", "55P03", "25P03"})  # read-only replica, lock timeout, idle timeout


def is_away(error: BaseException) -> bool:
    """Whether an error means that PostgreSQL is away, full or too slow, not that a statement is wrong."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state[:2] in AWAY_CLASSES or state in AWAY_STATES
    # asyncpg's complaint about an argument is an InterfaceError too, but a ValueError besides.
    return isinstance(error, LOSSES) and not isinstance(error, ValueError)


class store_errors:  # noqa: N801  used like contextlib's functions, at a tenth of their cost
    """Turns every error that means "away" into HubError(STORE_UNAVAILABLE); lets the others pass."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raises HubError(STORE_UNAVAILABLE) in the place of an error that means so."""
        if isinstance(error, FAILURES) and is_away(error):
            raise unavailable(error) from error


def unavailable(error: BaseException) -> HubError:
    """STORE_UNAVAILABLE with the SQLSTATE, or the kind of error where there is none."""
    return HubError(Code.STORE_UNAVAILABLE, state=state_of(error))


class Session:
    """One leased connection: statements run on it one after the other."""

    __slots__ = ("_connection", "_timeout")

    def __init__(self, connection: asyncpg.Connection, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    def begin(self) -> Transaction:
        """A transaction on this connection, not yet started; within one it is a savepoint."""
        return self._connection.transaction()

    async def fetch(self, statement: str, *args: object) -> list[asyncpg.Record]:
        """All rows."""
        with store_errors():
            return await self._connection.fetch(statement, *args, timeout=self._timeout)

    async def fetchrow(self, statement: str, *args: object) -> asyncpg.Record | None:
        """The first row, or None."""
        with store_errors():
            return await self._connection.fetchrow(statement, *args, timeout=self._timeout)

    async def fetchval(self, statement: str, *args: object) -> object:
        """The first column of the first row, or None."""
        with store_errors():
            value: object = await self._connection.fetchval(statement, *args, timeout=self._timeout)
            return value

    async def execute(self, statement: str, *args: object) -> str:
        """PostgreSQL's command tag, such as ``INSERT 0 1``."""
        with store_errors():
            return await self._connection.execute(statement, *args, timeout=self._timeout)

    async def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of arguments, all or nothing."""
        with store_errors():
            await self._connection.executemany(statement, rows, timeout=self._timeout)

    async def copy(
        self, schema: str, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
    ) -> None:
        """Add rows to a table by COPY, as one statement."""
        with store_errors():
            await self._connection.copy_records_to_table(
                table, schema_name=schema, columns=columns, records=rows, timeout=self._timeout
            )


class Database:
    """At most ``size`` connections, opened when needed; a lost one is replaced by the next lease.

    Every method raises HubError(STORE_UNAVAILABLE) when PostgreSQL is away, full or slower than the
    time-out; errors of the statement itself (syntax, constraints) pass as asyncpg's own.
    """

    def __init__(self, dsn: str, *, size: int = 8, timeout: float = 10.0, statement_cache: int = 100) -> None:
        self._dsn = dsn
        self._timeout = timeout
        self._statement_cache = statement_cache
        self._free = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []
        self._listener = Listener(self._connect)
        self._reach = Reach("database")
        self._closed = False

    @classmethod
    async def open(
        cls, dsn: str, *, size: int = 8, timeout: float = 10.0, statement_cache: int = 100
    ) -> Database:
        """Connects nothing yet, so it succeeds while PostgreSQL is away; ``timeout``: seconds a statement."""
        return cls(dsn, size=size, timeout=timeout, statement_cache=statement_cache)

    async def fetch(self, statement: str, *args: object) -> list[asyncpg.Record]:
        """All rows."""
        async with self._lease() as session:
            return await session.fetch(statement, *args)

    async def fetchrow(self, statement: str, *args: object) -> asyncpg.Record | None:
        """The first row, or None."""
        async with self._lease() as session:
            return await session.fetchrow(statement, *args)

    async def fetchval(self, statement: str, *args: object) -> object:
        """The first column of the first row, or None."""
        async with self._lease() as session:
            return await session.fetchval(statement, *args)

    async def execute(self, statement: str, *args: object) -> str:
        """PostgreSQL's command tag, such as ``INSERT 0 1``."""
        async with self._lease() as session:
            return await session.execute(statement, *args)

    async def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row of arguments, all or nothing."""
        async with self._lease() as session:
            await session.executemany(statement, rows)

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """A Session whose statements are committed when the block ends, and undone when it raises."""
        return self._transaction()

    async def listen(self, channel: str, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with the payload of each NOTIFY on a channel, for as long as the Database is open.

        After a lost connection it is called once with "" (something may have been missed). Never
        raises because PostgreSQL is away. Needs a direct or session-pooled connection.
        """
        await self._listener.add(channel, heard)

    async def close(self) -> None:
        """Close every connection; leases still out are closed when they come back."""
        self._closed = True
        await self._listener.close()
        while self._idle:
            self._idle.pop().terminate()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Session]:
        async with self._lease() as session:
            transaction = session.begin()
            with store_errors():
                await transaction.start()
            try:
                yield session
            except BaseException as error:
                if not self._is_suspect(error):
                    await self._undo(transaction)
                raise
            with store_errors():
                await asyncio.wait_for(transaction.commit(), self._timeout)

    async def _undo(self, transaction: Transaction) -> None:
        try:
            await asyncio.wait_for(transaction.rollback(), self._timeout)
        except FAILURES:
            return  # the lost connection has undone it; what made us undo is the error to tell

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[Session]:
        connection = await self._take_told()
        try:
            yield Session(connection, self._timeout)
        except BaseException as error:
            self._discard(connection) if self._is_suspect(error) else self._give_back(connection)
            if self._is_loss(error):
                self._reach.lost(state_of(error))
            raise
        else:
            self._reach.used()
            self._give_back(connection)

    async def _take_told(self) -> asyncpg.Connection:
        try:
            return await self._take()
        except HubError as error:
            self._reach.lost(state_of(error))
            raise

    async def _take(self) -> asyncpg.Connection:
        if not self._free.locked():
            await self._free.acquire()
        else:
            try:
                async with asyncio.timeout(self._timeout):
                    await self._free.acquire()
            except TimeoutError as error:
                raise unavailable(error) from error
        try:
            return await self._open_connection()
        except BaseException:
            self._free.release()
            raise

    async def _open_connection(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        try:
            return await self._connect()
        except ValueError as error:  # the driver quotes what it cannot read, and that may be a password
            raise unavailable(error) from None
        except FAILURES as error:
            raise unavailable(error) from error

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            self._dsn,
            timeout=self._timeout,
            statement_cache_size=self._statement_cache,
            server_settings={"application_name": APPLICATION},
        )

    @staticmethod
    def _is_suspect(error: BaseException) -> bool:
        """Whether an error leaves a connection's state unknown: a cancelled statement, a time-out, a loss."""
        return Database._is_loss(error) or not isinstance(error, Exception)

    @staticmethod
    def _is_loss(error: BaseException) -> bool:
        if isinstance(error, HubError):
            return error.problem.code is Code.STORE_UNAVAILABLE
        return is_away(error)

    def _give_back(self, connection: asyncpg.Connection) -> None:
        if self._closed or connection.is_closed() or connection.is_in_transaction():
            self._discard(connection)
            return
        self._idle.append(connection)
        self._free.release()

    def _discard(self, connection: asyncpg.Connection) -> None:
        connection.terminate()
        self._free.release()
