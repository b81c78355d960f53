"""JSON from strangers is read as the standard library reads it, or refused by number."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.kernel.errors import Code, Problem
from hub.kernel.strict_json import DEEPEST, LARGEST, strict_json

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-LARGEST, LARGEST) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=40)


@given(VALUES, st.booleans())
def test_what_is_good_json_is_read_as_it_is(value: object, escaped: bool) -> None:
    assert strict_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"\xff", Code.BODY_NOT_UTF8),
        (b'"\\ud800"', Code.BODY_NOT_UTF8),
        (b'{"a": "\\udfff"}', Code.BODY_NOT_UTF8),
        (b"", Code.BODY_NOT_JSON),
        (b"{", Code.BODY_NOT_JSON),
        (b"NaN", Code.BODY_NOT_JSON),
        (b'{"a": 1, "a": 2}', Code.BODY_DUPLICATE_KEY),
        (b'[{"\\u0061": 1, "a": 2}]', Code.BODY_DUPLICATE_KEY),
        (str(LARGEST + 1).encode(), Code.NUMBER_NOT_PORTABLE),
        (b"-" + b"9" * 5_000, Code.NUMBER_NOT_PORTABLE),
        (b"1e999", Code.NUMBER_NOT_PORTABLE),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), Code.BODY_NOT_JSON),
        (b'{"a":' * 100_000, Code.BODY_NOT_JSON),
    ],
)
def test_what_is_not_is_refused_by_number(text: bytes, code: Code) -> None:
    refused = strict_json(text)
    assert isinstance(refused, Problem)
    assert refused.code is code


def test_the_deepest_nesting_is_read() -> None:
    assert isinstance(strict_json(b"[" * DEEPEST + b"]" * DEEPEST), list)


@pytest.mark.parametrize("text", ["{" * 500, '"[' * 500, "\\" * 500 + "[" * 500, "\n[{" * 500])
def test_brackets_within_a_text_are_no_nesting(text: str) -> None:
    assert strict_json(json.dumps({"query": text}).encode()) == {"query": text}


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 300_000 + "[" * 100, '"a' * 300_000 + "[" * 100, "[" * 600_000]
)
def test_nonsense_is_refused_in_no_time(text: str) -> None:
    began = time.process_time()
    assert isinstance(strict_json(text.encode()), Problem)
    assert time.process_time() - began < 2
