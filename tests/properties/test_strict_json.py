"""JSON read at a glance is what the exact reader reads, of whatever text: no byte more is accepted."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.kernel.errors import Code, Problem
from hub.kernel.strict_json import LARGEST, _at_a_glance, _exactly, strict_json

DEEP = 500  # here the exact reader is asked what it reads, not how deep
SIGNS = [
    *'{}[]:,"\\/ \t\n\r\f\x00\x1f\x7f-+.eE0179aunltrfsNI',
    "\\u003a",
    "\\ud83d",
    "\\ude00",
    "\\u0061",
    "\ufeff",
    "😀",
]
PIECES = st.sampled_from(
    [*SIGNS, '"a"', '"a":', '{"a":1,', '"\\u0061":', '"a:b"', '{"a"', ":1", "[1,", "null", "true", "NaN",
     str(LARGEST), str(LARGEST + 1), f"-{LARGEST + 1}", "1" * 20, "1" * 400, "1e308", "1e309", "-0", "-0.0",
     "1.0"]
)  # fmt: skip
TEXTS = st.text(
    st.sampled_from([*"ab:\\\"'{}[]，😀\x00"]) | st.characters(exclude_categories=["Cs"]), max_size=8
)
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"))
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.lists(st.tuples(TEXTS, inner)), max_leaves=20
)


def written(value: Any, draw: Any) -> str:
    """A value as JSON; a list of pairs as an object, in which keys may stand twice."""
    space = draw(st.sampled_from(["", " ", "\n"]))
    if isinstance(value, list) and value and all(isinstance(one, tuple) for one in value):
        pairs = [f"{written(key, draw)}{space}:{space}{written(one, draw)}" for key, one in value]
        return "{" + f"{space},".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(written(one, draw) for one in value) + "]"
    if isinstance(value, str) and draw(st.booleans()):
        return '"' + "".join(f"\\u{unit:04x}" for unit in units(value)) + '"'
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def units(text: str) -> list[int]:
    encoded = text.encode("utf-16-be")
    return [int.from_bytes(encoded[place : place + 2]) for place in range(0, len(encoded), 2)]


def agrees(text: bytes) -> Any:
    """What the exact reader reads; the other reads the same or leaves it alone."""
    exact, glance = _exactly(text, DEEP), _at_a_glance(text)
    if glance is not None:
        assert repr(glance) == repr(exact)  # types and the sign of zero count too
    return exact


@settings(max_examples=400)
@given(st.data())
def test_values_are_read_alike_however_they_are_written(data: st.DataObject) -> None:
    agrees(written(data.draw(VALUES), data.draw).encode())


@settings(max_examples=800)
@given(st.lists(PIECES, max_size=14).map("".join))
@example('{"a":1,"\\u0061":":"}')
@example('{"a":{"b":1,"b":2},"c":":"}')
@example('{"a:":1,"b":2}')
@example('{"a":"\\u003a","a":1}')
def test_nonsense_is_read_alike(text: str) -> None:
    agrees(text.encode(errors="surrogatepass"))


@settings(max_examples=400)
@given(VALUES, st.data())
def test_a_damaged_text_is_read_alike(value: Any, data: st.DataObject) -> None:
    text = bytearray(written(value, data.draw).encode())
    place = data.draw(st.integers(0, len(text)))
    text[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    agrees(bytes(text))


@given(st.data())
def test_a_key_that_stands_twice_is_never_read(data: st.DataObject) -> None:
    """Wherever it stands, however it is written, whatever colons the values hold."""
    value = st.lists(st.tuples(TEXTS, LEAVES), min_size=1, max_size=4, unique_by=lambda pair: pair[0])
    pairs = data.draw(value)
    pairs.insert(
        data.draw(st.integers(0, len(pairs))), (data.draw(st.sampled_from(pairs))[0], data.draw(TEXTS))
    )
    text = written({"o": None}, data.draw)[:-5] + written(pairs, data.draw) + "}"
    read = strict_json(text.encode())
    assert isinstance(read, Problem)
    assert read.code in (Code.BODY_DUPLICATE_KEY, Code.NUMBER_NOT_PORTABLE)


@given(st.dictionaries(PLAIN, PLAIN | st.integers(-LARGEST, LARGEST), max_size=5))
def test_usual_bodies_are_read_at_a_glance(members: dict[str, Any]) -> None:
    """Else all of the above would hold of a reader that reads nothing."""
    assert _at_a_glance(json.dumps({"variables": [members]}, ensure_ascii=False).encode()) is not None
