"""A column at a time reads what one value at a time reads, or leaves it to that."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.columns import Trees, compile_columns
from connectors.dates import DateForm, WrongForm
from connectors.mapping import FieldRule, Misfit, Text, compile_row
from tests.connectors.test_mapping import LEAVES, RULES

VALUES = LEAVES | st.lists(LEAVES, max_size=2)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "@x"]), VALUES, max_size=3)
TEXT_RULES = st.just(FieldRule(("a",), Text()))


@given(st.lists(RULES | TEXT_RULES, min_size=1, max_size=2), st.lists(OBJECTS, max_size=3))
def test_columns_are_rows(rules: list[FieldRule], rows: list[Any]) -> None:
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


@given(st.lists(st.dates() | st.none(), max_size=4), st.booleans())
def test_native_dates_are_read_as_their_iso_form_is(days: list[date | None], partial: bool) -> None:
    read = compile_columns({"day": FieldRule(("a",), DateForm("iso", partial))}, ("day",), "key")
    keys = ["K"] * len(days)
    native = read(Trees([{"a": day} for day in days]), keys)
    assert native == read(Trees([{"a": day and day.isoformat()} for day in days]), keys)
    assert native == [(day and day.isoformat(),) for day in days]


def test_a_choice_without_columns_has_a_row_for_each() -> None:
    assert compile_columns({}, (), "key")(Trees([{}, {}]), ["A", "B"]) == [(), ()]
