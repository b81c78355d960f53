"""Reads a request's body within bounds and as strict JSON: UTF-8, no duplicate keys, no lone surrogates."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from starlette.types import Receive

from hub.kernel.errors import Code, Problem

DEEPEST = 64
LARGEST = 2**53 - 1  # I-JSON, RFC 7493 §2.2


class _RefusedError(ValueError):
    def __init__(self, code: Code) -> None:
        super().__init__(code.label)
        self.code = code


async def read_body(receive: Receive, maximum: int) -> bytes | Problem:
    """The whole body, or BODY_TOO_LARGE as soon as it is longer than ``maximum`` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Problem(Code.BODY_NOT_JSON)
        body += message.get("body", b"")
        if len(body) > maximum:
            return Problem(Code.BODY_TOO_LARGE, {"maximum": str(maximum)})
        if not message.get("more_body", False):
            return bytes(body)


def strict_json(body: bytes) -> Any | Problem:
    """The JSON value of a body (RFC 8259, within I-JSON, RFC 7493), or the Problem that it has."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return Problem(Code.BODY_NOT_UTF8)
    if _depth(text) > DEEPEST:
        return Problem(Code.BODY_NOT_JSON)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except _RefusedError as refused:
        return Problem(refused.code)
    except (ValueError, RecursionError):
        return Problem(Code.BODY_NOT_JSON)
    escaped = "\\u" in text  # only an escape can bring in what UTF-8 cannot hold
    return Problem(Code.BODY_NOT_UTF8) if escaped and not _encodes(value) else value


def _depth(text: str) -> int:
    """How deep brackets nest at the most; brackets within strings count too, which only makes it stricter."""
    opened = text.count("[") + text.count("{")
    if opened <= DEEPEST:
        return opened
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


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
