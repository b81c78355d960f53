"""The cases: what a service does, which kinds it applies to, and what the hub must make of it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from connectors.contract import Outcome
from connectors.faults import Kind as FaultKind
from connectors.manifest import Mistake
from connectors.manifest.cursor import Cursor
from connectors.manifest.model import Kind

KNOWN = "11010519491231002X"
ALSO_KNOWN = "360426199101010071"
UNKNOWN = "370300199001010008"
RECORDS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        KNOWN: {"id_number": KNOWN, "name": "张三", "sex": "2", "birth_date": "1949-12-31"},
        ALSO_KNOWN: {"id_number": ALSO_KNOWN, "name": "李四", "sex": "1", "birth_date": "1991-01"},
    }
)
FOUND, ABSENT = Outcome.FOUND.value, Outcome.ABSENT.value
EVERY = frozenset(Kind)
HTTP = frozenset({Kind.REST, Kind.GRAPHQL})
EXPECTABLE = (FOUND, ABSENT, *FaultKind)


@dataclass(frozen=True, slots=True)
class Case:
    """``expected`` names, by key, what may come of it: found, absent or kinds of fault.

    ``records`` are the values that a found key must have; ``seconds`` is the time the ask has.
    """

    name: str
    expected: Mapping[str, frozenset[str]]
    kinds: frozenset[Kind] = EVERY
    offering: str = "person"
    records: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: RECORDS)
    seconds: float = 3.0


def _all(*allowed: str, keys: tuple[str, ...] = (KNOWN,)) -> dict[str, frozenset[str]]:
    return dict.fromkeys(keys, frozenset(allowed))


BOTH = (KNOWN, ALSO_KNOWN)
CASES = (
    Case("found", _all(FOUND)),
    Case("absent", _all(FOUND) | _all(ABSENT, keys=(UNKNOWN,))),
    Case("partial_batch", _all(FOUND) | _all(FaultKind.REFUSED, keys=(ALSO_KNOWN,))),
    Case("duplicates", _all(FaultKind.WRONG_SUBJECT)),
    Case("out_of_order", _all(FOUND, keys=BOTH)),
    Case("slow", _all(FaultKind.TIMEOUT), seconds=0.4),
    Case("server_error", _all(FaultKind.FAILED)),
    Case("too_many_requests", _all(FaultKind.BUSY)),
    Case("absurd_retry_after", _all(FaultKind.FAILED), HTTP),
    Case("html", _all(FaultKind.MALFORMED, FaultKind.UNREACHABLE)),
    Case("wrong_type", _all(FaultKind.MALFORMED)),
    Case("truncated", _all(FaultKind.MALFORMED, FaultKind.UNREACHABLE)),
    Case("too_large", _all(FaultKind.TOO_LARGE)),
    Case("wrong_tls_name", _all(FaultKind.UNREACHABLE)),
    Case("wrong_subject", _all(FaultKind.WRONG_SUBJECT), HTTP),  # a view is asked by key and filters itself
    Case("unreachable", _all(FaultKind.UNREACHABLE)),
    Case("redirect", _all(FaultKind.ADDRESS_REFUSED), HTTP),
    Case("not_found_in_200", _all(ABSENT), HTTP),
    Case("unknown_code", _all(FaultKind.CODE_UNKNOWN), HTTP),
    Case("empty_answer", _all(FaultKind.MALFORMED), HTTP),
    Case("short_answer", _all(FaultKind.INCOMPLETE, keys=BOTH), HTTP),
)


def read_expectations(text: str) -> tuple[Case, ...] | tuple[Mistake, ...]:
    """An agency's own cases for its own service, or every mistake in them. One of them looks like this.

    [[cases]]
    name = "a company that was closed"
    offering = "business"
    expected = { "91110000600037341L" = "found" }    # found, absent, or a kind of fault
    """
    try:
        table = tomllib.loads(text)
    except ValueError:
        return (Mistake("", "TOML"),)
    mistakes: list[Mistake] = []
    cursor = Cursor(table, "", mistakes)
    cases = tuple(_read_case(one) for one in cursor.tables("cases"))
    if not cases:
        cursor.mistake("cases", "at least one case")
    cursor.finish()
    return tuple(mistakes) or cases


def _read_case(cursor: Cursor) -> Case:
    expected = cursor.table("expected")
    case = Case(
        cursor.text("name"),
        {key: frozenset({expected.choice(key, EXPECTABLE)}) for key in expected.names()},
        EVERY,
        cursor.text("offering"),
        {},
        (cursor.number("seconds", 0.1, 60) or 10.0),
    )
    cursor.finish()
    return case
