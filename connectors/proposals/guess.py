"""Guesses what each column means and how it is read; every guess says what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from connectors.proposals.model import Column, Findings, Note
from connectors.proposals.naming import CHINESE, Namer, by_parts, snake
from connectors.proposals.reading import Reading, read_as, read_by_itself
from connectors.proposals.values import is_resident_id, is_uscc, mostly
from connectors.proposals.words import Known, spoken, vocabulary

EVERY_EVIDENCE = MappingProxyType(
    {
        "identifier": "text",
        "number": "text",
        "holder": "text",
        "holder_scheme": "code",
        "holder_name": "text",
        "issuer": "uscc",
        "issuer_name": "text",
        "issued_on": "date",
        "valid_from": "date",
        "valid_until": "date",
        "status": "code",
    }
)
"""The fields that every evidence type has, with their types; a sheet does not repeat them."""

BARE = frozenset({"value", "code", "desc", "description", "text", "name", "id", "no", "key", "type", "label"})
HOLDER = "holder"
RESIDENT, BUSINESS = "111", "001"


@dataclass(frozen=True, slots=True)
class Guessed:
    """A field as it is proposed: ``zh`` and ``en`` are its names."""

    code: str
    zh: str
    en: str
    sensitivity: str | None
    unit: str | None
    column: Column
    reading: Reading
    notes: tuple[Note, ...]

    @property
    def is_common(self) -> bool:
        """Whether every evidence type has it."""
        return self.code in EVERY_EVIDENCE


@dataclass(frozen=True, slots=True)
class Guesses:
    """The key, whose holder it names (a scheme of GB/T 36903), the fields, and where the rows' age stands."""

    key: Guessed
    scheme: str | None
    fields: tuple[Guessed, ...]
    as_of: Guessed | None

    @property
    def all(self) -> tuple[Guessed, ...]:
        """The key and the fields."""
        return (self.key, *self.fields)


def known_as(column: Column) -> tuple[Known, Note] | None:
    """The known field that a column's name, its title, or the name of what holds it stands for."""
    names = [column.name, column.title]
    if len(column.path) > 1 and spoken(column.name) in BARE:
        names.insert(0, column.path[-2])
    found = (vocabulary().find(name) for name in names if name)
    return next((one for one in found if one is not None), None)


def scheme_of(column: Column) -> str | None:
    """Whose number a column holds: of a person, of a business, or neither."""
    if mostly(column.values, is_resident_id):
        return RESIDENT
    if mostly(column.values, is_uscc):
        return BUSINESS
    known = known_as(column)  # sample values may be made up or have lost their digits: the name still counts
    return known[0].scheme if known is not None else None


def guess(findings: Findings) -> Guesses:
    """A guess for every column; a column that is the key is not repeated among the fields."""
    namer = Namer(vocabulary().reserved, "field")
    scheme = scheme_of(findings.key)
    key = _guess_key(findings.key, scheme, namer)
    fields: list[Guessed] = []
    as_of: Guessed | None = None
    spent = 0
    for number, column in enumerate(findings.columns, 1):
        if column.path == findings.key.path:
            continue
        made = _guess_one(column, number, scheme, namer, spent)
        spent += len(made.reading.codes)
        if made.reading.type == "as_of":
            as_of = as_of or made
        else:
            fields.append(made)
    return Guesses(key, scheme, tuple(fields), as_of)


def _guess_key(column: Column, scheme: str | None, namer: Namer) -> Guessed:
    known = known_as(column)
    notes = [Note.KEY] if known is None or known[1] is Note.BY_NAME else [Note.KEY, known[1]]
    if scheme is not None:
        namer.keep(HOLDER)
        code, zh, en = HOLDER, "持证主体代码", "Holder"
    else:
        wanted = known[0].code if known is not None else snake(column.name) or by_parts(column.name) or "key"
        code, _ = namer.take(wanted)
        zh, en = _labels(column, code, known)
    if column.digits_lost:
        notes.append(Note.DIGITS_LOST)
    return Guessed(code, zh, en, None, None, column, Reading("text"), tuple(notes))


def _guess_one(column: Column, number: int, scheme: str | None, namer: Namer, spent: int) -> Guessed:
    known = known_as(column)
    if known is None:
        return _unknown(column, number, namer, spent)
    field, note = known
    reading = read_as(field, column)
    notes = [note, *reading.notes]
    code = field.code
    if field.holder_name is not None and field.holder_name == scheme and namer.is_free("holder_name"):
        namer.keep("holder_name")
        code = "holder_name"
    else:
        if EVERY_EVIDENCE.get(code, reading.type) != reading.type:
            code = f"{code}_as_written"
        code, renamed = namer.take(code)
        notes += [Note.RENAMED] if renamed else []
    zh, en = _labels(column, code, known)
    return Guessed(code, zh, en, field.sensitivity, field.unit, column, reading, tuple(notes))


def _unknown(column: Column, number: int, namer: Namer, spent: int) -> Guessed:
    reading = read_by_itself(column, spent)
    wanted, note = _wanted(column)
    code, renamed = namer.take(wanted or f"field_{number}")
    notes = [*([note] if note else []), *reading.notes]
    if renamed or not wanted:
        notes.append(Note.RENAMED)
    zh, en = _labels(column, code, None)
    return Guessed(code, zh, en, reading.sensitivity, None, column, reading, tuple(notes))


def _wanted(column: Column) -> tuple[str, Note | None]:
    parts = by_parts(column.name) or by_parts(column.title)
    if parts:
        return parts, Note.BY_PARTS
    if len(column.path) > 1 and (spoken(column.name) in BARE or column.name.isdecimal()):
        return snake("_".join(column.path[-2:])), None
    return snake(column.name), None


def _labels(column: Column, code: str, known: tuple[Known, Note] | None) -> tuple[str, str]:
    """The Chinese name is the source's own where it is Chinese."""
    own = next((name for name in (column.name, column.title) if CHINESE.search(name)), None)
    english = code.replace("_", " ").capitalize()
    if known is not None:
        return own or known[0].zh, known[0].en
    return own or column.title or column.name, english


def likely_key(columns: Sequence[Column]) -> Column:
    """The column by which a table is most likely asked: a holder's number, else what differs in all rows."""
    by_scheme = [column for column in columns if scheme_of(column) is not None]
    if by_scheme:
        named = [column for column in by_scheme if _is_named_holder(column)]
        return (named or by_scheme)[0]
    coded = [column for column in columns if _is_number_of_something(column)]
    distinct = [one for one in columns if len(one.values) > 1 and len(set(one.values)) == len(one.values)]
    return (coded or distinct or list(columns))[0]


def _is_named_holder(column: Column) -> bool:
    known = known_as(column)
    return known is not None and known[0].scheme is not None


def _is_number_of_something(column: Column) -> bool:
    known = known_as(column)
    return known is not None and known[0].code in ("number", "household_number", "unit_number", "identifier")
