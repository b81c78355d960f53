"""Compares the contenders' answers to the same questions, byte for byte, before anything is timed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from tests.bench.contenders import Contender

COMPARED = 4  # questions of each size


class AnswersDifferError(Exception):
    """Two contenders do not say the same; what they say is left out."""


async def require_equal(contenders: Sequence[Contender], bodies: Sequence[bytes]) -> int:
    """Returns how many bytes of ``data`` one answer has in the mean.

    Raises AnswersDifferError naming a contender and the path of its first difference from the first one.
    """
    questions = bodies[:: len(bodies) // COMPARED]
    told = {one.name: await _data(one, questions) for one in contenders}
    first = contenders[0].name
    for name, answers in told.items():
        for expected, found in zip(told[first], answers, strict=True):
            if msgspec.json.encode(expected) != msgspec.json.encode(found):
                raise AnswersDifferError(f"{name} differs from {first} at {difference(expected, found)}")
    return sum(len(msgspec.json.encode(answer)) for answer in told[first]) // len(questions)


async def _data(contender: Contender, questions: Sequence[bytes]) -> list[Any]:
    return [msgspec.json.decode(body)["data"] for body in await contender.answers(questions)]


def difference(left: Any, right: Any, path: str = "data") -> str | None:
    """The path of the first difference, None where there is none; the order of members counts too."""
    match left, right:
        case dict(), dict() if list(left) == list(right):
            pairs = [(f"{path}.{name}", left[name], right[name]) for name in left]
        case list(), list() if len(left) == len(right):
            pairs = [(f"{path}.{place}", *both) for place, both in enumerate(zip(left, right, strict=True))]
        case _:
            return None if left == right and not isinstance(left, dict) else path
    return next((found for at, mine, theirs in pairs if (found := difference(mine, theirs, at))), None)
