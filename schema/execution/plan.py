"""What a plan is made of: waves of fetches over offerings, and the shape of the answer above them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.contract import Row
from hub.catalogue.model import FieldCode, RecordCode
from hub.facts.model import Need, Sourced
from hub.subjects.model import Scheme, Subject, subjects_of
from hub.subjects.rules import resident_id, uscc
from schema.forms import FactForm

Values = Mapping[str, Any]  # coerced variables by name
Getter = Callable[[Values], Any]


# --- fetches and the places whose keys they ask by


@dataclass(slots=True)
class Place:
    """Where subjects of one kind stand in an operation; ``wave``: the first in which they are known."""

    index: int
    scheme: Scheme
    wave: int
    feed: Feed


@dataclass(slots=True)
class FromRoot:
    """The subjects that a question's arguments name; ``only`` those of one type among entities."""

    root: int
    only: str | None = None


@dataclass(slots=True)
class FromRows:
    """The subjects in a column of the rows that a fetch has for another place's subjects.

    ``firm``: every row must name one.
    """

    place: Place
    fetch: Fetch
    column: str
    role: str | None = None
    firm: bool = True


@dataclass(slots=True)
class Confirmed:
    """The same subjects as another place's, once their record has come."""

    place: Place
    fetch: Fetch


Feed = FromRoot | FromRows | Confirmed


@dataclass(slots=True)
class Fetch:
    """One record by one key in one wave, for all places at once; one call a batch."""

    index: int
    wave: int
    record: RecordCode
    key: FieldCode
    columns: dict[FieldCode, int] = field(default_factory=dict)  # code -> position in a row
    places: list[Place] = field(default_factory=list)
    asked: tuple[FieldCode, ...] = ()  # the columns, once the plan is made
    earlier: tuple[Fetch, ...] = ()  # of earlier waves, those that bring the same columns and more

    def want(self, *codes: str) -> None:
        """Asks for columns."""
        for code in codes:
            self.columns.setdefault(FieldCode(code), len(self.columns))

    def at(self, code: str) -> int:
        """Where a column stands in a row."""
        return self.columns[FieldCode(code)]


# --- the shape of an answer


@dataclass(frozen=True, slots=True)
class KeyValue:
    """The subject's own key."""


@dataclass(frozen=True, slots=True)
class Constant:
    """What is the same for every row."""

    value: Any


@dataclass(frozen=True, slots=True)
class FactValue:
    """A column in its form; ``parts``: selected fields of a form that is an object; firm: never null."""

    column: str
    form: FactForm
    parts: tuple[tuple[str, Part], ...] = ()
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a fact that is an object: its ``name``, and the ``table`` of its texts where it has one."""

    name: str
    table: Mapping[str, str] | None = None
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """Fields by name: constants, and the column behind value and values."""

    items: tuple[tuple[str, tuple[tuple[str, str | Constant], ...]], ...]  # column -> (response key, what)


@dataclass(frozen=True, slots=True)
class Nested:
    """An object of facts on the same row."""

    fields: Fields


@dataclass(frozen=True, slots=True)
class SourceValue:
    """Where the row came from; ``parts``: response key -> path in the source."""

    parts: tuple[tuple[str, SourcePart], ...]


@dataclass(frozen=True, slots=True)
class ObjectAt:
    """One subject: its base record (None: not asked) and its fields."""

    base: Fetch | None
    fields: Fields


@dataclass(frozen=True, slots=True)
class One:
    """The subject whose key stands in a column."""

    column: str
    target: ObjectAt


@dataclass(frozen=True, slots=True)
class Across:
    """The distinct subjects in a column of the related rows."""

    fetch: Fetch
    column: str
    role: str | None
    target: ObjectAt


@dataclass(frozen=True, slots=True)
class Rows:
    """One object a related row."""

    fetch: Fetch
    role: str | None
    fields: Fields


@dataclass(frozen=True, slots=True)
class OfType:
    """The certificates of one evidence type."""

    fetch: Fetch
    fields: Fields


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates of several types, in the types' order; ``day`` is the index of a runtime value."""

    types: tuple[OfType, ...]
    day: int | None


SourcePart = str | tuple[tuple[str, str], ...]  # a field of the source, or fields of its agency
Value = KeyValue | Constant | FactValue | Claims | Nested | SourceValue | One | Across | Rows | Certificates
Fields = tuple[tuple[str, Value], ...]  # response key -> value


@dataclass(frozen=True, slots=True)
class Root:
    """One question at the top: the keys that its arguments name, and an object for each type of theirs.

    ``constant``: what stands there instead when nothing is asked.
    """

    response: str
    keys: Getter  # -> list of (type name, Subject)
    many: bool
    targets: tuple[tuple[str, ObjectAt], ...]  # type name -> object
    constant: str | None = None


@dataclass(frozen=True, slots=True)
class NameCheck:
    """A name given with a key, which must be the recorded one before anything else is asked."""

    root: int
    given: Getter
    fetch: Fetch


class DeoptimisedError(Exception):
    """The plan met what it was not made for; the ordinary executor goes on with the rows that are there."""


Keyed = list[tuple[str, Subject]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Waves of fetches, then code. ``values``: runtime arguments that the code reads."""

    places: tuple[Place, ...]
    fetches: tuple[Fetch, ...]
    roots: tuple[Root, ...]
    checks: tuple[NameCheck, ...]
    values: tuple[Getter, ...]
    waves: tuple[tuple[Fetch, ...], ...]
    unfetched: tuple[Place, ...]  # whose keys no fetch asks by

    def named(self, values: Values) -> list[Keyed]:
        """The subjects that each root names, in order, duplicates kept."""
        return [root.keys(values) for root in self.roots]


class Keys:
    """The distinct subjects of each place, as far as the waves have come.

    ``sound``: no agency has named a subject by what is no key of one.
    """

    def __init__(self, named: Sequence[Keyed]) -> None:
        self.named = named
        self.sound = True
        self.known: dict[int, tuple[Subject, ...]] = {}

    def of(self, place: Place, fetched: Mapping[int, Sourced]) -> tuple[Subject, ...]:
        """The place's subjects; those whose rows failed have led nowhere."""
        if place.index not in self.known:
            self.known[place.index] = tuple(dict.fromkeys(self._fed(place, fetched)))
        return self.known[place.index]

    def _fed(self, place: Place, fetched: Mapping[int, Sourced]) -> Iterable[Subject]:
        match place.feed:
            case FromRoot(root, only):
                return [subject for name, subject in self.named[root] if only in (None, name)]
            case Confirmed(before, fetch):
                rows = fetched[fetch.index].rows
                return [subject for subject in self.of(before, fetched) if rows.get(subject.value)]
            case FromRows() as feed:
                return self._column(place, feed, fetched)

    def _column(self, place: Place, feed: FromRows, fetched: Mapping[int, Sourced]) -> list[Subject]:
        if feed.fetch.index not in fetched:
            return []
        rows = fetched[feed.fetch.index].rows
        column = feed.fetch.at(feed.column)
        role = None if feed.role is None else feed.fetch.at("role")
        cells = dict.fromkeys(
            row[column]
            for _, value in self.of(feed.place, fetched)
            for row in rows.get(value, ())
            if role is None or row[role] == feed.role
        )
        return self._checked(cells, place.scheme, feed.firm)

    def _checked(self, cells: Mapping[Any, None], scheme: Scheme, firm: bool) -> list[Subject]:
        """Those of an agency's values that are another agency's keys; what is none is never passed on."""
        check = CHECKS[scheme]
        genuine = [cell for cell in cells if isinstance(cell, str) and check(cell) == cell]
        if len(genuine) < len(cells):
            others = cells.keys() - set(genuine)
            self.sound &= not (firm or others - {None})
        return subjects_of(scheme, genuine)


CHECKS: Mapping[Scheme, Callable[[str], str | None]] = {
    Scheme.RESIDENT_ID: resident_id,
    Scheme.USCC: uscc,
}


def need_of(fetch: Fetch, keys: Keys, fetched: Mapping[int, Sourced]) -> Need:
    """The one need of a fetch: the subjects of all its places."""
    if len(fetch.places) == 1:
        subjects = keys.of(fetch.places[0], fetched)
    else:
        subjects = tuple(dict.fromkeys(one for place in fetch.places for one in keys.of(place, fetched)))
    return Need(fetch.record, fetch.key, subjects, fetch.asked)


RowsByKey = Mapping[str, tuple[Row, ...]]
