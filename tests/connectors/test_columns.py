"""A column at a time reads what one value at a time reads, or leaves it to that."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.columns import Trees, compile_columns
from connectors.dates import DateForm, WrongForm
from connectors.mapping import Codes, FieldRule, Misfit, Text, compile_row
from tests.connectors.test_mapping import LEAVES, RULES

WRITTEN = ["2024-03-15", "2024-03-15 ", "20240315", "2024-W11-5", "2024-3-5", "2024-03-15T08:00:00Z", "", " "]
WRONG = ["2024-02-30", "0000-01-01", "9999-12-31T23:00:00Z", "٢٠٢٤-03-15", "2024-03-15x", "\ud8002024-03-15"]
NEARLY_DATES = st.sampled_from([None, *WRITTEN, *WRONG, "2024-03", "2024", 20240315, 2024, 1, 1.0, True])
VALUES = (LEAVES | st.lists(LEAVES, max_size=2)).filter(lambda value: not isinstance(value, date))
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "@x"]), VALUES, max_size=3)
TEXT_RULES = st.just(FieldRule(("a",), Text()))


@given(st.lists(RULES | TEXT_RULES, min_size=1, max_size=2), st.lists(OBJECTS, max_size=3))
@example([FieldRule(("a",), Text())], [{"a": ""}, {"a": " "}, {"a": " x"}]).via("blank texts")
def test_columns_are_rows(rules: list[FieldRule], rows: list[Any]) -> None:
    check_that_they_agree(rules, rows)


def check_that_they_agree(rules: list[FieldRule], rows: list[Any]) -> None:
    named = {f"f{number}": rule for number, rule in enumerate(rules)}
    columns = ("key", *named)
    keys = [f"K{number}" for number in range(len(rows))]
    one_by_one = [compile_row(named, columns, "key")(row, key) for row, key in zip(rows, keys, strict=True)]
    try:
        at_once = compile_columns(named, columns, "key")(Trees(rows), keys)
    except WrongForm:
        assert any(isinstance(row, Misfit) for row in one_by_one)
    else:
        assert at_once == one_by_one


def test_a_row_that_is_no_object_is_left_to_the_other_way() -> None:
    read = compile_columns({"name": FieldRule(("a",), Text())}, ("name",), "key")
    for rows in ([{"a": "x"}, None], [["a"]], ["a"], [1]):
        with pytest.raises(WrongForm):
            read(Trees(rows), ["K"] * len(rows))


@given(
    st.sampled_from(["iso", "YYYYMMDD", "YYYY-MM-DD", "unix"]),
    st.booleans(),
    st.lists(NEARLY_DATES, max_size=3),
)
@example("unix", False, [1, True]).via("equal values of two kinds")
@example("unix", False, [1, 1.0]).via("equal values of two kinds")
def test_columns_of_dates_are_dates(written: str, partial: bool, days: list[Any]) -> None:
    rule = FieldRule(("a",), DateForm(written, partial and written != "unix"))
    check_that_they_agree([rule], [{"a": day} for day in days])


@given(st.lists(st.sampled_from([None, "1", " 1", "", " ", "true", 1, True, 1.0, [], "\ud800"]), max_size=3))
def test_columns_of_codes_are_codes(codes: list[Any]) -> None:
    rule = FieldRule(("a",), Codes({"1": "A", " 1": "B", "": "C", " ": "D", "true": True}))
    check_that_they_agree([rule], [{"a": code} for code in codes])


@given(st.lists(st.dates() | st.none(), max_size=4), st.booleans())
def test_native_dates_are_read_as_their_iso_form_is(days: list[date | None], partial: bool) -> None:
    read = compile_columns({"day": FieldRule(("a",), DateForm("iso", partial))}, ("day",), "key")
    keys = ["K"] * len(days)
    native = read(Trees([{"a": day} for day in days]), keys)
    assert native == read(Trees([{"a": day and day.isoformat()} for day in days]), keys)
    assert native == [(day and day.isoformat(),) for day in days]


def test_a_choice_without_columns_has_a_row_for_each() -> None:
    assert compile_columns({}, (), "key")(Trees([{}, {}]), ["A", "B"]) == [(), ()]
