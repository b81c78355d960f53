"""The fast canonical form is RFC 8785 for every value the hub makes, and refuses what cannot travel."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.crypto.canonical import canonical, canonical_plain
from hub.kernel.errors import Code, HubError

WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))


def trees(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON values of these leaves and keys."""
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=12,
    )


@given(trees(st.none() | st.booleans() | WHOLE | TEXT, KEYS))
def test_our_values_are_encoded_as_rfc8785_does(value: Any) -> None:
    assert canonical(value) == canonical_plain(value) == rfc8785.dumps(value)


@given(trees(st.none() | WHOLE | TEXT | st.floats(allow_nan=False, allow_infinity=False), TEXT))
def test_any_portable_value_is_encoded_as_rfc8785_does(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


def test_keys_outside_the_bmp_are_ordered_by_utf16_units() -> None:
    value = {"\uffff": 1, "𠀀": 2, "a": 3}
    assert canonical(value) == canonical_plain(value) == '{"a":3,"𠀀":2,"\uffff":1}'.encode()


def test_rare_characters_in_values_keep_the_order_of_keys() -> None:
    assert canonical({"姓名": "𬭎", "b": [{"𠀀": "𠀀", "a": None}]}) == (
        '{"b":[{"a":null,"𠀀":"𠀀"}],"姓名":"𬭎"}'.encode()
    )


def test_the_published_example_of_rfc8785() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        "string": '€$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )
    assert canonical(value) == expected.encode()


def test_text_is_not_normalised() -> None:
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    assert canonical(composed) != canonical(decomposed)


@pytest.mark.parametrize(
    "number",
    [2**53, -(2**53), 2**64, 10**400, math.nan, math.inf, -math.inf],
    ids=lambda number: str(number)[:9],
)
def test_numbers_that_others_read_differently_are_refused(number: float) -> None:
    for value in (number, [number], {"data": {"rows": [{"amount": number}]}}):
        with pytest.raises(HubError) as refused:
            canonical(value)
        assert refused.value.problem.code is Code.NUMBER_NOT_PORTABLE


def test_what_json_cannot_say_is_refused() -> None:
    endless: object = []
    for _ in range(100_000):
        endless = [endless]
    for value in ("\ud800", {"\udfff": 1}, {1: "a"}, {"a": {1, 2}}, b"bytes", endless):
        with pytest.raises(HubError) as refused:
            canonical(value)
        assert refused.value.problem.code is Code.REQUEST_SHAPE


def test_order_of_keys_does_not_matter_and_order_of_lists_does() -> None:
    assert canonical({"b": 1, "a": 2}) == canonical(json.loads('{"a":2,"b":1}'))
    assert canonical([1, 2]) != canonical([2, 1])
