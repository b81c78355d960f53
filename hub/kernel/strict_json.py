"""Reads JSON that has one reading only: UTF-8, no key twice, no lone surrogate, no number beyond I-JSON."""

from __future__ import annotations

import json
from math import isfinite
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from hub.kernel.errors import Code, Problem

DEEPEST: Final = 64
LARGEST: Final = 2**53 - 1  # I-JSON, RFC 7493 §2.2
USUAL_DEPTH: Final = 6  # of a GraphQL request's own members; each more doubles the shape below
SHAPE: Final = bytes.maketrans(b"{}", b"[]")
NOT_SHAPE: Final = bytes(set(range(256)) - set(b"[]{}"))
Scalar: TypeAlias = str | Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)] | float | bool | None


class _RefusedError(ValueError):
    def __init__(self, code: Code) -> None:
        super().__init__(code.label)
        self.code = code


def strict_json(text: bytes, deepest: int = DEEPEST) -> Any | Problem:
    """The JSON value of a text (RFC 8259, within I-JSON, RFC 7493), or the Problem that it has.

    ``deepest``: how many arrays and objects may stand within one another, from 7 to some hundreds.
    Problems: BODY_NOT_UTF8 (also for an escaped lone surrogate), BODY_DUPLICATE_KEY, NUMBER_NOT_PORTABLE,
    else BODY_NOT_JSON.
    """
    value = _at_a_glance(text)
    return _exactly(text, deepest) if value is None else value


def _usual(depth: int) -> Any:
    """The type of values with so many arrays and objects within one another at the most."""
    if depth == 0:
        return Scalar
    inner = _usual(depth - 1)
    return Scalar | list[inner] | dict[str, inner]  # type: ignore[valid-type]  # made as the module loads


DECODER: Final = msgspec.json.Decoder(_usual(USUAL_DEPTH))
ENCODER: Final = msgspec.json.Encoder()


def _at_a_glance(text: bytes) -> Any | None:
    """The value, by a much faster parser, where it surely is what ``_exactly`` reads; else None.

    That parser is as strict but for keys that stand twice, of which it keeps the last. Each pair dropped is
    a colon less, so nothing was dropped where the value written anew has as many colons as the text; a
    text that may hold colons as escapes (``\\u003a``) is left to the other.
    """
    if b"\\" in text and b"\\u003" in text:
        return None
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if ENCODER.encode(value).count(b":") == text.count(b":") else None


def _is_deeper(text: bytes, deepest: int) -> bool:
    """Whether more brackets stand within one another, those within strings left out. Takes linear time."""
    plain = text.replace(b"\\\\", b"").replace(b'\\"', b"")  # a quotation mark left begins or ends a string
    shape = b"".join(plain.split(b'"')[::2]).translate(SHAPE, NOT_SHAPE)
    if b"[" * (deepest + 1) in shape:
        return True
    for _ in range(deepest):
        outer = shape.replace(b"[]", b"")  # without what is innermost
        if len(outer) == len(shape):
            break
        shape = outer
    return bool(shape)


def _exactly(text: bytes, deepest: int) -> Any | Problem:
    try:
        characters = text.decode()
    except UnicodeDecodeError:
        return Problem(Code.BODY_NOT_UTF8)
    if text.count(b"[") + text.count(b"{") > deepest and _is_deeper(text, deepest):
        return Problem(Code.BODY_NOT_JSON)
    try:
        value = json.loads(
            characters,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except _RefusedError as refused:
        return Problem(refused.code)
    except (ValueError, RecursionError):
        return Problem(Code.BODY_NOT_JSON)
    escaped = "\\u" in characters  # only an escape can bring in what UTF-8 cannot hold
    return Problem(Code.BODY_NOT_UTF8) if escaped and not _encodes(value) else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RefusedError(Code.BODY_DUPLICATE_KEY)
    return members


def _integer(digits: str) -> int:
    if len(digits) > len(str(LARGEST)) + 1 or abs(int(digits)) > LARGEST:
        raise _RefusedError(Code.NUMBER_NOT_PORTABLE)
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise _RefusedError(Code.NUMBER_NOT_PORTABLE)
    return number


def _no_constant(_: str) -> Any:
    raise _RefusedError(Code.BODY_NOT_JSON)


def _encodes(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
