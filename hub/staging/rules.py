"""Decides whether a file may be answered with, must wait for an officer, or is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from connectors.files_control import Control, objection
from connectors.files_reasons import Bad, Reason
from connectors.manifest import Manifest, read
from connectors.manifest.model import FileSource
from hub.catalogue.model import ConnectorId, FieldCode, FieldType, RecordCode, RecordType
from hub.staging.model import Doubt, Drop, Load
from hub.subjects.rules import resident_id, uscc

CLOCKS_APART = timedelta(minutes=5)
SHRINK = 50  # percent, where a manifest says nothing
ANY = 100  # percent: it may become as short as it likes
KEY_LONGEST = 200  # characters


def drops_of(connector: ConnectorId, manifest: str, records: Iterable[RecordType]) -> tuple[Drop, ...]:
    """The offerings of a connector that are handed over as files; none for one of another kind."""
    declared = read(manifest)
    if not isinstance(declared, Manifest):
        return ()
    types = {(record.code, field.code): field.type for record in records for field in record.fields.values()}
    return tuple(
        Drop(
            connector,
            one,
            one.source,
            key_reader(types.get((RecordCode(one.offering.record), FieldCode(one.offering.key)))),
        )
        for one in declared.offerings
        if isinstance(one.source, FileSource)
    )


def objections(
    source: FileSource, name: str, sha256: str, control: Control | None, as_of: datetime, now: datetime
) -> tuple[Bad, ...]:
    """What is wrong with a file before its rows are looked at."""
    found = []
    if source.controlled and (unlike := objection(control, name, sha256)) is not None:
        found.append(unlike)
    if as_of > now + CLOCKS_APART:
        found.append(Bad(Reason.FUTURE))
    return tuple(found)


def doubts(source: FileSource, rows: int, as_of: datetime, serving: Load | None) -> tuple[Doubt, ...]:
    """Why an officer has to look at a file before it is answered with; none: it is taken at once.

    Data of the same time may come again, corrected. Where nothing was loaded before, a file without any row
    is one that has shrunk.
    """
    found = []
    bound = SHRINK if source.shrink is None else source.shrink
    before = serving.rows if serving is not None else 1
    if bound < ANY and rows * 100 < before * (100 - bound):
        found.append(Doubt.SHRUNK)
    if serving is not None and as_of < serving.as_of:
        found.append(Doubt.OLDER)
    return tuple(found)


def key_reader(kind: FieldType | None) -> Callable[[str], str | None]:
    """How a key is read that supplies a field of this type: as questions write it, None for no such key."""
    return KEY_READERS.get(kind, _any_key) if kind is not None else _any_key


def _any_key(text: str) -> str | None:
    """Any text; an identifier of a person or a business as it is written officially."""
    return (resident_id(text) or uscc(text) or text) if len(text) <= KEY_LONGEST else None


KEY_READERS: Mapping[FieldType, Callable[[str], str | None]] = MappingProxyType(
    {FieldType.RESIDENT_ID: resident_id, FieldType.USCC: uscc}
)
"""Key fields whose every value is an identifier with a check digit (GB 11643, GB 32100)."""
