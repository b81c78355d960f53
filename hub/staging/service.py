"""Loads a file whole or not at all, beside the one that serves; and gives the rows that are answered with."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from typing import BinaryIO

import msgspec

from connectors.contract import Row
from connectors.files_control import digest_of, read_control
from connectors.files_folder import Folder, Found, is_unchanged
from connectors.files_reasons import Bad, BadRows, Reason
from connectors.files_rows import FileRow, read_rows
from connectors.staged import Held, Judged, Place, StoreAway
from hub.audit.model import AgencyCode
from hub.cache.model import CHANNEL
from hub.catalogue.model import Officer
from hub.kernel.clock import Clock
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Session
from hub.kernel.errors import Code, HubError
from hub.kernel.log import get_log
from hub.staging import rules
from hub.staging.model import Delivery, Drop, Load, LoadId, LoadState
from hub.staging.store import SealedRow, StagingStore

CHUNK = 5_000  # rows in memory at once
KEPT = 100  # loads of an offering that are remembered
KEY_BYTES = 32
KEYS_REMEMBERED = 64
NO_LOAD = LoadId(0)


class Sealing:
    """Seals the rows of a load under a key of the load's own, which the master key seals in its turn."""

    def __init__(self, envelope: Envelope, pseudonyms: Pseudonyms) -> None:
        self._envelope = envelope
        self._pseudonyms = pseudonyms

    def subjects(self, place: Place, keys: Sequence[str]) -> list[bytes]:
        """A key's pseudonym differs from offering to offering, so that their rows cannot be linked."""
        scheme = f"staging/{place.connector}/{place.offering}"
        return self._pseudonyms.of_each((scheme, key) for key in keys)

    def new_key(self, number: LoadId) -> tuple[Envelope, bytes]:
        """What seals a load's rows, and itself sealed."""
        key = secrets.token_bytes(KEY_BYTES)
        return Envelope(key), self._envelope.seal(key, _context(number))

    def opened(self, number: LoadId, sealed_key: bytes) -> Envelope:
        """What opens a load's rows; raises HubError(KEY_UNREADABLE)."""
        return Envelope(self._envelope.open(sealed_key, _context(number)))


class StagedRows:
    """What the connector kind ``files`` answers from: the port ``connectors.staged.Staged``."""

    def __init__(self, store: StagingStore, sealing: Sealing) -> None:
        self._store = store
        self._sealing = sealing
        self._opened: dict[LoadId, Envelope] = {}

    async def held(self, place: Place, keys: Sequence[str], most: int) -> Held | None:
        """Raises StoreAway when the database is."""
        subjects = dict(zip(self._sealing.subjects(place, keys), keys, strict=True))
        try:
            found = await self._store.held(place, tuple(subjects), most)
        except HubError as error:
            raise StoreAway from error
        if found is None:
            return None
        envelope = self._envelope(found.id, found.sealed_key)
        rows: dict[str, list[Row | Judged]] = {}
        for subject, line, sealed in found.rows:
            plain = envelope.open(sealed, _row_context(subject, line))
            rows.setdefault(subjects[subject], []).append(_content(plain))
        return Held(found.as_of, {key: tuple(own) for key, own in rows.items()})

    def _envelope(self, number: LoadId, sealed_key: bytes) -> Envelope:
        if number not in self._opened:
            while len(self._opened) >= KEYS_REMEMBERED:
                del self._opened[next(iter(self._opened))]
            self._opened[number] = self._sealing.opened(number, sealed_key)
        return self._opened[number]


@dataclass(frozen=True, slots=True)
class FileDesk:
    """Where files are taken in, for every offering that is handed over as one, and who may decide there."""

    staging: StagingService
    drops: tuple[Drop, ...]
    owners: Mapping[str, AgencyCode]  # by connector
    officers: Mapping[str, Officer]  # by account

    def of(self, connector: str, offering: str | None = None) -> tuple[Drop, ...]:
        """Those of a connector, or one of them."""
        return tuple(
            drop
            for drop in self.drops
            if drop.connector == connector and offering in (None, drop.place.offering)
        )

    async def accept(self, number: int, account: str) -> Load:
        """A waiting file is answered with from now on. Raises HubError(LOAD_UNKNOWN).

        HubError(OFFICER_UNKNOWN) and, for another agency's officer who does not act for the bureau,
        HubError(CONNECTOR_OF_ANOTHER).
        """
        place = (await self.staging.find(number)).place
        self._check(account, place.connector)
        now = [drop.place.mapping for drop in self.of(place.connector, place.offering)]
        return await self.staging.accept(number, account, now[0] if now else None)

    async def reject(self, number: int, account: str) -> Load:
        """A waiting file's rows are removed. Raises HubError as ``accept`` does."""
        self._check(account, (await self.staging.find(number)).place.connector)
        return await self.staging.reject(number, account)

    def _check(self, account: str, connector: str) -> None:
        officer = self.officers.get(account)
        if officer is None:
            raise HubError(Code.OFFICER_UNKNOWN)
        if not officer.approves and self.owners.get(connector) != officer.agency:
            raise HubError(Code.CONNECTOR_OF_ANOTHER)


class _Refused(Exception):  # noqa: N818 - an internal signal: it undoes what was written
    """A file that is not taken, with the reasons."""

    def __init__(self, load: Load) -> None:
        self.load = load
        super().__init__()


class StagingService:
    """Takes files in, and decides about those that wait. Needs the owner role."""

    def __init__(self, store: StagingStore, sealing: Sealing, clock: Clock) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock

    async def loads(self, connector: str | None = None, offering: str | None = None) -> list[Load]:
        """What became of the files, the newest first."""
        return await self._store.loads(connector, offering)

    async def load(self, drop: Drop, delivery: Delivery) -> Load | None:
        """What becomes of a file; one that serves or waits already stays. None: somebody else is loading.

        All happens in one transaction: nothing of a refused file is kept but the reasons, and what served
        before serves until the new rows are all there.
        """
        draft = self._draft(drop, delivery)
        try:
            async with self._store.transaction() as session:
                if not await self._store.lock(session, drop.place):
                    return None
                known = await self._store.known(session, drop.place)
                kept = [one for one in known if one.state in (LoadState.SERVING, LoadState.WAITING)]
                for one in kept:
                    if (one.place, one.sha256, one.as_of) == (draft.place, draft.sha256, draft.as_of):
                        return one
                load = await self._take(session, drop, delivery, draft, kept)
            return self._tell(load)
        except _Refused as refused:
            return await self._write_down(refused.load)

    @staticmethod
    def _tell(load: Load) -> Load:
        get_log().info(
            "file_taken",
            connector=load.place.connector,
            offering=load.place.offering,
            state=load.state,
            count=load.rows,
        )
        return load

    async def refuse(self, drop: Drop, delivery: Delivery, reason: Reason) -> Load:
        """Writes down that something came that must not even be read."""
        return await self._write_down(self._unread(drop, delivery, reason))

    async def take_newest(self, drop: Drop, folder: Folder) -> Load | None:
        """Loads the newest whole file of a watched folder; None: it is known, or there is none."""
        found = next(iter(folder.find(drop.source, self._clock.now().timestamp())), None)
        if found is None or await self._is_known(drop, found.stamp):
            return None
        if not found.is_plain:
            return await self.refuse(drop, _delivery(found, BytesIO()), Reason.NOT_A_FILE)
        try:
            with folder.open(found) as stream:
                return await self.load(drop, _delivery(found, stream))
        except OSError:
            return None  # it is gone, or another by now: the next look will tell

    async def _is_known(self, drop: Drop, stamp: str) -> bool:
        known = await self._store.loads(drop.connector, drop.place.offering)
        return any((one.place, one.stamp) == (drop.place, stamp) for one in known)

    async def accept(self, number: int, officer: str, mapping: str | None) -> Load:
        """A waiting file is answered with from now on. Raises HubError(LOAD_UNKNOWN).

        ``mapping``: the digest that the offering's manifest has now; rows made under another one are void.
        """
        async with self._store.transaction() as session:
            load = await self._waiting(session, number)
            if load.place.mapping != mapping:
                raise HubError(Code.LOAD_UNKNOWN, part=str(number))
            await self._store.retire(session, load.place, (LoadState.SERVING,))
            await self._store.serve(session, load.id, officer)
            await self._store.announce(session, CHANNEL)
        return await self._known(number)

    async def reject(self, number: int, officer: str) -> Load:
        """A waiting file's rows are removed. Raises HubError(LOAD_UNKNOWN)."""
        async with self._store.transaction() as session:
            load = await self._waiting(session, number)
            await self._store.reject(session, load.id, officer)
        return await self._known(number)

    async def find(self, number: int) -> Load:
        """The load of this number. Raises HubError(LOAD_UNKNOWN)."""
        return await self._known(number)

    async def _waiting(self, session: Session, number: int) -> Load:
        load = await self._known(number)
        if not await self._store.lock(session, load.place):
            raise HubError(Code.STORE_UNAVAILABLE, state="loading")
        if (await self._known(number)).state is not LoadState.WAITING:
            raise HubError(Code.LOAD_UNKNOWN, part=str(number))
        return load

    async def _known(self, number: int) -> Load:
        load = await self._store.load(number)
        if load is None:
            raise HubError(Code.LOAD_UNKNOWN, part=str(number))
        return load

    def _draft(self, drop: Drop, delivery: Delivery) -> Load:
        if delivery.stream.seek(0, os.SEEK_END) > drop.source.max_bytes:
            return self._unread(drop, delivery, Reason.TOO_LARGE)
        delivery.stream.seek(0)
        sha256 = digest_of(delivery.stream)
        delivery.stream.seek(0)
        control = None if delivery.control is None else read_control(delivery.control)
        as_of = control.as_of if control is not None else delivery.as_of or delivery.changed_at
        why = rules.objections(drop.source, delivery.name, sha256, control, as_of, self._clock.now())
        state = LoadState.REFUSED if why else LoadState.SERVING
        rows = 0 if control is None else control.rows
        return Load(
            NO_LOAD,
            drop.place,
            state,
            delivery.name,
            sha256,
            delivery.stamp,
            as_of,
            rows,
            len(why),
            why,
        )

    @staticmethod
    def _unread(drop: Drop, delivery: Delivery, reason: Reason) -> Load:
        name, stamp, at = delivery.name, delivery.stamp, delivery.changed_at
        return Load(NO_LOAD, drop.place, LoadState.REFUSED, name, "", stamp, at, 0, 1, (Bad(reason),))

    async def _take(
        self, session: Session, drop: Drop, delivery: Delivery, draft: Load, kept: Sequence[Load]
    ) -> Load:
        if draft.bad:
            raise _Refused(draft)
        number = await self._store.next_number(session)
        envelope, sealed_key = self._sealing.new_key(number)
        bad = BadRows()
        rows = read_rows(delivery.stream, drop.offered, drop.source, drop.read_key, bad)
        count = await self._copy(session, drop.place, number, envelope, rows, bad)
        await self._check(session, drop, delivery, replace(draft, id=number, rows=draft.rows), count, bad)
        if bad.total:
            raise _Refused(
                replace(draft, state=LoadState.REFUSED, rows=count, bad=bad.total, reasons=bad.first)
            )
        serving = next((one for one in kept if one.state is LoadState.SERVING), None)
        why = rules.doubts(drop.source, count, draft.as_of, serving)
        state = LoadState.WAITING if why else LoadState.SERVING
        load = replace(draft, id=number, state=state, rows=count, doubts=why)
        gone = (LoadState.WAITING,) if why else (LoadState.SERVING, LoadState.WAITING)
        await self._store.retire(session, drop.place, gone)
        await self._store.add(session, load, sealed_key, KEPT)
        await self._store.announce(session, CHANNEL)
        return load

    async def _copy(
        self,
        session: Session,
        place: Place,
        number: LoadId,
        envelope: Envelope,
        rows: Iterator[FileRow],
        bad: BadRows,
    ) -> int:
        """How many rows there are; once one is bad, none is written any more."""
        count = 0
        while chunk := list(islice(rows, CHUNK)):
            count += len(chunk)
            if not bad.total:
                await self._store.copy(session, self._sealed(place, number, envelope, chunk))
        return count

    def _sealed(
        self, place: Place, number: LoadId, envelope: Envelope, rows: Sequence[FileRow]
    ) -> list[SealedRow]:
        subjects = self._sealing.subjects(place, [row.key for row in rows])
        return [
            (
                number,
                subject,
                row.line,
                envelope.seal(msgspec.json.encode(row.content), _row_context(subject, row.line)),
            )
            for subject, row in zip(subjects, rows, strict=True)
        ]

    async def _check(
        self, session: Session, drop: Drop, delivery: Delivery, draft: Load, count: int, bad: BadRows
    ) -> None:
        """What can be said only when all rows have been read."""
        if not delivery.is_whole():
            bad.add(Reason.CHANGED)
        if bad.total:
            return
        if drop.source.controlled and draft.rows != count:
            bad.add(Reason.ROW_COUNT)
        if not drop.offered.offering.many:
            column = ".".join(drop.offered.rows.key or ())
            for line in await self._store.repeated(session, draft.id):
                bad.add(Reason.KEY_TWICE, line, column)

    async def _write_down(self, load: Load) -> Load:
        async with self._store.transaction() as session:
            number = await self._store.next_number(session)
            await self._store.add(session, replace(load, id=number), None, KEPT)
        return self._tell(replace(load, id=number))


def _delivery(found: Found, stream: BinaryIO) -> Delivery:
    return Delivery(
        found.name,
        stream,
        found.changed_at,
        found.control,
        stamp=found.stamp,
        is_whole=lambda: is_unchanged(stream, found.stamp),
    )


def _context(number: LoadId) -> bytes:
    return f"staging.load/{number}".encode()


def _row_context(subject: bytes, line: int) -> bytes:
    return b"staging.row/" + subject + line.to_bytes(8)


def _content(plain: bytes) -> Row | Judged:
    """A row is a list of values, lists in it are lists of texts; a judgement is an object."""
    content = msgspec.json.decode(plain)
    if isinstance(content, dict):
        return Judged(content["is_refused"], content["code"])
    return tuple(tuple(value) if isinstance(value, list) else value for value in content)
