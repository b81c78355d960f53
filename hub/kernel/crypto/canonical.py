"""Gives JSON values their one canonical form (RFC 8785), so that equal values have equal digests."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import msgspec
import rfc8785

from hub.kernel.errors import Code, HubError
from hub.kernel.strict_json import LARGEST

PLAIN = frozenset({str, bool, type(None)})
FAR_CHARACTER = re.compile("[\U00010000-\U0010ffff]")
SORTED = msgspec.json.Encoder(order="sorted")
FOUR_BYTE_LEADS = bytes(range(0xF0, 0xF5))  # begin the UTF-8 form of characters outside the BMP


def canonical(value: object) -> bytes:
    """RFC 8785 bytes of a value of dict, list, tuple, str, int, float, bool and None.

    Raises HubError(NUMBER_NOT_PORTABLE) for NaN, infinities and integers beyond ±(2**53 − 1), and
    HubError(REQUEST_SHAPE) for what JSON cannot say (keys that are no text, lone
    surrogates, nesting without end).
    """
    try:
        fast = _checked((value,))
        return canonical_plain(value) if fast else rfc8785.dumps(value)  # type: ignore[arg-type]  # checked above
    except (UnicodeError, TypeError, RecursionError, rfc8785.CanonicalizationError):
        raise HubError(Code.REQUEST_SHAPE, part="text") from None


def canonical_plain(value: object) -> bytes:
    """Equal to ``canonical`` for values the hub itself made of dict, list, tuple, str, bool, None, small int.

    It looks at no number: a float or a large integer would pass unseen. Use it where none can stand.
    """
    encoded = SORTED.encode(value)
    if len(encoded.translate(None, FOUR_BYTE_LEADS)) == len(encoded) or _basic_keys((value,)):
        return encoded
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # the encoder took it, so it is JSON


def _checked(values: Iterable[object]) -> bool:
    """Whether the fast encoder is right for all of them; raises for numbers that are not portable."""
    fast = True
    for value in values:
        kind = type(value)
        if kind in PLAIN:
            continue
        if kind is dict:
            fast = _checked(value.values()) and fast  # type: ignore[attr-defined]  # kind is dict
        elif kind is list or kind is tuple:
            fast = _checked(value) and fast  # type: ignore[arg-type]  # kind is list or tuple
        else:
            fast = _checked_number(value) and fast
    return fast


def _checked_number(value: object) -> bool:
    if isinstance(value, int) and abs(value) > LARGEST:
        raise HubError(Code.NUMBER_NOT_PORTABLE)
    if isinstance(value, float) and not math.isfinite(value):
        raise HubError(Code.NUMBER_NOT_PORTABLE)
    return type(value) is int


def _basic_keys(values: Iterable[object]) -> bool:
    """Whether every key lies in the BMP, where the order of code points and of UTF-16 units is one."""
    for value in values:
        if isinstance(value, dict):
            if any(map(FAR_CHARACTER.search, value)) or not _basic_keys(value.values()):
                return False
        elif isinstance(value, list | tuple) and not _basic_keys(value):
            return False
    return True
