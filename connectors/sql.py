"""The kind ``sql``: an agency's declared views in PostgreSQL, read in a session that can only read."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from connectors.answers import Sorter
from connectors.columns import TEXT, TEXTS, Column, survey
from connectors.contract import Answer, Ask, Fault, Offering, Telling
from connectors.faults import Kind, all_failed, fault
from connectors.login import Login, Verdict, in_order
from connectors.manifest.model import Manifest, Offered, SqlAddress, SqlSource
from connectors.sql_sessions import KEYS_AS_LIST, KEYS_AS_TEXT, Selection, Session
from connectors.transport import Transport, tls_context

APPLICATION = "proofless"
COMPILED_HIGHEST = 256
AS_THEY_ARE = frozenset({str, int, float, bool, Decimal, date, type(None)})
SIZED = frozenset({str, list})
NOTHING: Column = ((), TEXT)
IDLE_SECONDS = 60.0
CLOSE_SECONDS = 1.0
# What a connection says that lost its server, and what among it is about the server's or our own words.
LOSSES = (asyncpg.InterfaceError, asyncpg.InternalClientError)
ANSWERS = (asyncpg.ProtocolError, ValueError)
FAILURES = (asyncpg.PostgresError, *LOSSES, OSError)
STATES = (  # SQLSTATE or its class (ISO 9075, PostgreSQL appendix A); the first that fits counts
    ("57014", Kind.TIMEOUT),
    ("42501", Kind.REFUSED),
    ("28", Kind.LOGIN_REFUSED),
    ("53", Kind.BUSY),
    ("08", Kind.UNREACHABLE),
    ("57P", Kind.UNREACHABLE),
    ("42", Kind.MALFORMED),
)
if TYPE_CHECKING:
    from connectors.sql_sessions import Connection


class SqlConnector:
    """Asks one agency's database. To be used behind ``connectors.wrappers.wrap``, which bounds connections.

    A session that nobody needs for ``idle_seconds`` is ended. Raises ssl.SSLError when a declared
    certificate cannot be read.
    """

    def __init__(
        self,
        manifest: Manifest,
        address: SqlAddress,
        transport: Transport,
        secrets: Mapping[str, str],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._offerings = tuple(one.offering for one in manifest.offerings)
        self._leases = _Leases(manifest, address, transport, secrets, idle_seconds)
        self._views = {
            one.offering.name: _View(one, one.source, manifest)
            for one in manifest.offerings
            if isinstance(one.source, SqlSource)
        }

    def describe(self) -> tuple[Offering, ...]:
        """The declared offerings."""
        return self._offerings

    async def health(self, deadline: float) -> Fault | None:
        """Whether a session can be opened and answers."""
        session = await self._leases.take(deadline)
        if isinstance(session, Fault):
            return session
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await session.connection.execute("select 1")
        except FAILURES as error:
            session.connection.terminate()
            return _fault_of(error)
        self._leases.give(session)
        return None

    async def fetch(self, ask: Ask) -> Answer:
        """One statement for all keys. Whoever asks ends it when the time is up, and the session with it."""
        session = await self._leases.take(ask.deadline)
        if isinstance(session, Fault):
            return _failed(ask, session)
        finished = False
        try:
            answer = await self._views[ask.offering].fetch(session, ask)
            finished = True
        except FAILURES as error:
            return _failed(ask, _fault_of(error))
        finally:
            if finished:
                self._leases.give(session)
            else:
                session.connection.terminate()
        return answer

    async def close(self) -> None:
        """Closes every session."""
        await self._leases.close()


class _View:
    """One offering, compiled: a statement by choice of columns."""

    def __init__(self, offered: Offered, source: SqlSource, manifest: Manifest) -> None:
        self._offered = offered
        self._source = source
        self._max_rows = manifest.limits.max_rows
        self._max_bytes = manifest.limits.max_bytes
        self._settings = manifest.telling.settings
        self._sorter = Sorter(offered)
        self._selection = lru_cache(COMPILED_HIGHEST)(self._write)

    async def fetch(self, session: Session, ask: Ask) -> Answer:
        selection = self._selection(ask.columns)
        if ask.tellings and self._settings:
            async with session.connection.transaction(readonly=True):
                await self._tell(session.connection, ask.tellings[0])
                records = await session.select(selection, ask.keys)
        else:
            records = await session.select(selection, ask.keys)
        if len(records) > self._max_rows:
            return _failed(ask, fault(Kind.TOO_LARGE))
        raw = Records(records)
        if raw.size > self._max_bytes:
            return _failed(ask, fault(Kind.TOO_LARGE))
        return self._sorter.sort_columns(raw, ask) or self._sorter.sort(list(raw.rows()), ask)

    async def _tell(self, connection: Connection, telling: Telling) -> None:
        names, values = [], []
        for part, name in self._settings.items():
            names.append(name)
            values.append(getattr(telling, part))
        await connection.execute(
            "select set_config(told.name, told.value, true)"
            " from unnest($1::text[], $2::text[]) told(name, value)",
            names,
            values,
        )

    def _write(self, columns: tuple[str, ...]) -> Selection:
        wanted = [self._source.key]
        rules = [self._offered.fields[column] for column in columns if column in self._offered.fields]
        wanted += [path[0] for rule in rules for path in rule.sources()]
        wanted += [rule.path[0] for rule in self._offered.outcomes if rule.path]
        if self._offered.as_of is not None:
            wanted.append(self._offered.as_of.path[0])
        selected = ", ".join(_quoted(name) for name in dict.fromkeys(wanted))
        view = ".".join(_quoted(name) for name in self._source.view)
        key = _quoted(self._source.key)
        rows = f"select {selected} from {view} where {key} = any"  # noqa: S608  checked names, quoted
        limit = f"limit {self._max_rows + 1}"
        return Selection(f"{rows}({KEYS_AS_LIST}) {limit}", f"{rows}({KEYS_AS_TEXT}) {limit}")


class Records:
    """Rows of a view, with values of the kinds that JSON has, and dates."""

    def __init__(self, records: Sequence[asyncpg.Record]) -> None:
        self._records = records
        self._columns: dict[str, Column] = {}
        self.size = 0  # characters of texts and elements of lists, all together
        names = records[0].keys() if records else ()
        for name, values in zip(names, zip(*records, strict=True), strict=True):
            kinds, whole = survey(values)
            self._columns[name] = values, kinds
            is_counted = kinds <= TEXTS or kinds.isdisjoint(SIZED)
            self.size += len(whole) if is_counted else _size(values)

    def column(self, name: str) -> Column:
        """What stands in a column; nothing where there is no row at all."""
        values, kinds = self._columns.get(name, NOTHING)
        if kinds <= AS_THEY_ARE:
            return values, kinds
        plain = [_plain(value) for value in values]
        return plain, set(map(type, plain))

    def rows(self) -> Sequence[object]:
        """The rows as objects of texts, numbers and lists."""
        return [{name: _plain(value) for name, value in record.items()} for record in self._records]


class _Way(NamedTuple):
    """What is shown to the database."""

    password: str
    tls: ssl.SSLContext | None


class _Leases:
    """Open sessions, taken and given back; as many as are asked for at once."""

    def __init__(
        self,
        manifest: Manifest,
        address: SqlAddress,
        transport: Transport,
        secrets: Mapping[str, str],
        idle_seconds: float,
    ) -> None:
        self._address = address
        self._transport = transport
        slots = manifest.credentials.slots()
        self._ways = [_way(manifest, address, shown) for shown in in_order(secrets, slots)]
        self._login = Login(len(self._ways))
        self._timeout_ms = round(manifest.limits.timeout * 1000)
        self._idle: list[tuple[float, Session]] = []  # with the moment since when, the oldest first
        self._idle_seconds = idle_seconds
        self._ageing: asyncio.Task[None] | None = None
        self._closed = False

    async def take(self, deadline: float) -> Session | Fault:
        while self._idle:
            _, session = self._idle.pop()
            if not session.connection.is_closed():
                return session
        place = await self._transport.place(self._address.host, self._address.port, deadline)
        if isinstance(place, Fault):
            return place
        return await self._login.use(partial(self._open, place, deadline), _verdict)

    def give(self, session: Session) -> None:
        if self._closed:
            session.connection.terminate()
            return
        self._idle.append((time.monotonic(), session))
        if self._ageing is None or self._ageing.done():
            self._ageing = asyncio.create_task(self._age())

    async def close(self) -> None:
        self._closed = True
        if self._ageing is not None:
            self._ageing.cancel()
            await asyncio.gather(self._ageing, return_exceptions=True)
        while self._idle:
            await _end(self._idle.pop()[1].connection)

    async def _age(self) -> None:
        """Ends sessions that nobody has needed for a while, and itself with the last of them."""
        while self._idle:
            since, session = self._idle[0]
            wait = since + self._idle_seconds - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                del self._idle[0]
                await _end(session.connection)

    async def _open(self, place: str, deadline: float, shown: int) -> Session | Fault:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return Session(await self._connect(place, self._ways[shown]))
        except FAILURES as error:
            return _fault_of(error)

    async def _connect(self, place: str, way: _Way) -> Connection:
        """Every parameter is given, so that no PG… variable of the hub's own surroundings steps in."""
        return await asyncpg.connect(
            host=place,
            port=self._address.port,
            database=self._address.database,
            user=self._address.user,
            password=way.password,
            ssl=way.tls or False,
            target_session_attrs=SessionAttribute.any,
            server_settings={
                "application_name": APPLICATION,
                "default_transaction_read_only": "on",
                "statement_timeout": str(self._timeout_ms),
            },
        )


async def _end(connection: Connection) -> None:
    try:
        await connection.close(timeout=CLOSE_SECONDS)
    except FAILURES:
        connection.terminate()


def _way(manifest: Manifest, address: SqlAddress, secrets: Mapping[str, str]) -> _Way:
    password, certificate = manifest.credentials.password, manifest.credentials.certificate
    shown = None if certificate is None else secrets[certificate]
    tls = tls_context(address.ca, shown, address.host) if address.tls else None
    return _Way("" if password is None else secrets[password], tls)


def _verdict(opened: Session | Fault) -> Verdict:
    if isinstance(opened, Session):
        return Verdict.TAKEN
    return Verdict.REFUSED if opened.kind == Kind.LOGIN_REFUSED else Verdict.UNKNOWN


def _failed(ask: Ask, why: Fault) -> Answer:
    return all_failed(
        ask.keys,
        fault(
            Kind(why.kind),
            correlation=ask.correlation,
            agency_code=why.agency_code,
            retry_after=why.retry_after,
        ),
    )


def _fault_of(error: Exception) -> Fault:
    if isinstance(error, TimeoutError):
        return fault(Kind.TIMEOUT)
    if isinstance(error, OSError) or (isinstance(error, LOSSES) and not isinstance(error, ANSWERS)):
        return fault(Kind.UNREACHABLE)
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    if state is None:
        return fault(Kind.MALFORMED)
    kinds = [kind for prefix, kind in STATES if state.startswith(prefix)]
    return fault(kinds[0] if kinds else Kind.FAILED, agency_code=state)


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value


def _size(values: Sequence[object]) -> int:
    return sum(len(value) for value in values if isinstance(value, str | list))
