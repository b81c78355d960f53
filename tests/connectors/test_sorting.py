"""Rows sorted a column at a time give the answer that they give one by one."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answers import Sorter
from connectors.contract import Answer, Ask
from connectors.sql import Records
from tests.connectors import samples

MANIFEST = """
[connector]
id = "register"
agency = "11370300004220030X"
kind = "sql"
name = { zh = "甲", en = "A" }
[connector.address]
host = "localhost"
database = "register"
user = "reader"
tls = false
[connector.credentials]
password = { slot = "password" }
[[offerings]]
name = "licence"
record = "licence"
key = "holder"
many = true
batch = 10
freshness = "P1D"
absent = "ABSENT"
[offerings.view]
name = "open.licence"
key = "holder"
[offerings.fields]
number = "number"
issued_on = { path = "issued_on", date = "iso" }
valid_until = { path = "valid_until", date = "YYYYMMDD", partial = true }
status = { path = "status", codes = { "1" = "VALID", "2" = "ENDED" } }
area = { path = "area", number = true }
"""
SORTERS = {
    absent: Sorter(samples.manifest(MANIFEST.replace("ABSENT", absent)).offerings[0])
    for absent in ("missing", "declared")
}
COLUMNS = ("holder", "number", "issued_on", "valid_until", "status", "area")  # named so in the view too
ASKED = ("A", "B", "1X")
HOLDERS = ("A", "B", "1X", "1x", " A ")
NUMBERS = ("N1", " N2 ", "", "号", None)
DAYS = ("2024-03-15", " 2024-03-15", "2024-03-15T23:30:00Z", "20240315", "", None)
UNTIL = ("20290314", "2029", " 20290314", "", 20290314, None)
STATUSES = ("1", "2", " 1", "", 1, None)
AREAS = ("1.50", 2, Decimal("3.0"), 0.5, None)
FITTING = (HOLDERS, NUMBERS, DAYS, UNTIL, STATUSES, AREAS)
MISFITS = (*"Cc", "\ud800", True, "2024-02-30", "3", ["x"], [], {}, Decimal("NaN"))
LINES = st.tuples(*(st.sampled_from(fitting) for fitting in FITTING))
STRAY = st.tuples(*(st.sampled_from((*fitting, *MISFITS)) for fitting in FITTING))


def ask(columns: tuple[str, ...] = COLUMNS) -> Ask:
    return Ask("licence", ASKED, columns, (), 0.0, "corr")


def one_by_one(sorter: Sorter, rows: list[Any], asked: Ask) -> Answer:
    """No key is settled beforehand, but the sorter is not told so."""
    return sorter.sort(rows, asked, absent=iter(()))


@given(
    st.lists(LINES, max_size=5) | st.lists(LINES | STRAY, max_size=3),
    st.permutations(COLUMNS).flatmap(
        lambda names: st.integers(0, len(names)).map(lambda n: tuple(names[:n]))
    ),
    st.sampled_from(sorted(SORTERS)),
)
def test_documents(lines: list[tuple[object, ...]], columns: tuple[str, ...], absent: str) -> None:
    rows: list[Any] = [dict(zip(COLUMNS, line, strict=True)) for line in lines]
    slow = one_by_one(SORTERS[absent], rows, ask(columns))
    assert SORTERS[absent].sort(rows, ask(columns)) == slow


class Line(tuple[object, ...]):
    """What the library's records can do: they cannot be made by hand."""

    __slots__ = ()

    def keys(self) -> KeysView[str]:
        return dict.fromkeys(COLUMNS).keys()

    def items(self) -> ItemsView[str, object]:
        return dict(zip(COLUMNS, self, strict=True)).items()


NATIVE = (
    None,
    " x",
    date(1, 2, 3),
    datetime(2024, 3, 15, 20, tzinfo=UTC),
    UUID(int=5),
    [date(2024, 3, 15), "x"],
    [],
    7,
    True,
    Decimal("1.50"),
    b"x",
)


@given(st.lists(LINES, max_size=4), st.integers(0, 5), st.lists(st.sampled_from(NATIVE), min_size=4))
def test_records(lines: list[tuple[object, ...]], place: int, native: list[object]) -> None:
    lines = [(*line[:place], value, *line[place + 1 :]) for line, value in zip(lines, native, strict=False)]
    raw: Any = Records([Line(line) for line in lines])
    slow = one_by_one(SORTERS["missing"], list(raw.rows()), ask())
    fast = SORTERS["missing"].sort_columns(raw, ask())
    assert fast in (None, slow)
    assert raw.size == sum(len(value) for line in lines for value in line if isinstance(value, str | list))


@given(st.lists(LINES, max_size=5))
def test_rows_that_fit_are_not_looked_at_one_by_one(lines: list[tuple[object, ...]]) -> None:
    raw: Any = Records([Line(line) for line in lines])
    assert SORTERS["missing"].sort_columns(raw, ask()) is not None


@pytest.mark.parametrize("day", [date(1, 2, 3), date(2024, 2, 29), date.max])
def test_native_dates_and_identifiers_are_written_out(day: date) -> None:
    raw: Any = Records(
        [Line(("A", UUID(int=5), day, None, "1", None)), Line(("B", None, None, None, "2", None))]
    )
    answer = SORTERS["missing"].sort_columns(raw, ask(("number", "issued_on")))
    assert answer is not None
    assert answer.rows == {"A": ((str(UUID(int=5)), day.isoformat()),), "B": ((None, None),), "1X": ()}


def test_a_native_date_has_no_other_form() -> None:
    raw: Any = Records([Line(("A", None, None, date(2029, 3, 14), "1", None))])
    assert SORTERS["missing"].sort_columns(raw, ask()) is None
