"""Runs cases against a connector and says of each, in words, what was expected and what came."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from connectors.conformance.cases import ABSENT, CASES, FOUND, Case
from connectors.contract import Answer, Ask, Connector, Offering, Tell, Telling
from connectors.manifest.model import Kind

CORRELATION = "conformance"
GRACE = 0.5  # seconds that an answer may be late
TELLING = Telling("conformance", "conformance", "conformance", "conformance", "conformance")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``objections`` name outcomes and fields, never values; none means that the case passed."""

    case: str
    objections: tuple[str, ...]


class Bench(Protocol):
    """A service that can be put into the situation of each case."""

    kind: Kind

    def arrange(self, case: Case) -> AbstractAsyncContextManager[Connector]:
        """A connector, wrapped, to the service in this situation."""
        ...


async def run(bench: Bench, cases: Iterable[Case] = CASES) -> tuple[Verdict, ...]:
    """A verdict on every case that applies to the bench's kind."""
    verdicts = []
    for case in cases:
        if bench.kind in case.kinds:
            async with bench.arrange(case) as connector:
                verdicts.append(await check(connector, case))
    return tuple(verdicts)


async def check(connector: Connector, case: Case) -> Verdict:
    """A verdict on one case; for an agency's live service and its own expectations too."""
    offerings = {offering.name: offering for offering in connector.describe()}
    if case.offering not in offerings:
        return Verdict(case.name, (f"no offering {case.offering}",))
    ask = _ask(offerings[case.offering], case)
    answer = await connector.fetch(ask)
    late = ["the answer came too late"] if time.monotonic() > ask.deadline + GRACE else []
    return Verdict(case.name, tuple(late + _objections(case, ask, answer)))


def _ask(offering: Offering, case: Case) -> Ask:
    keys = tuple(case.expected)
    number = {Tell.NONE: 0, Tell.PER_CALL: 1, Tell.PER_KEY: len(keys)}[offering.tell]
    deadline = time.monotonic() + case.seconds
    return Ask(offering.name, keys, offering.columns, (TELLING,) * number, deadline, CORRELATION)


def _objections(case: Case, ask: Ask, answer: Answer) -> list[str]:
    objections = []
    for number, key in enumerate(ask.keys, 1):
        came = _came(answer, key)
        if came not in case.expected[key]:
            objections.append(f"key {number}: expected {_listed(case.expected[key])}, came {came}")
        elif came == FOUND:
            objections += _differences(case, ask, answer, key, number)
        elif key in answer.faults and answer.faults[key].correlation != CORRELATION:
            objections.append(f"key {number}: the fault does not name the correlation")
    if set(answer.rows) | set(answer.faults) != set(ask.keys):
        objections.append("other keys than were asked for")
    return objections


def _came(answer: Answer, key: str) -> str:
    if key in answer.faults:
        return answer.faults[key].kind
    if key not in answer.rows:
        return "nothing"
    return FOUND if answer.rows[key] else ABSENT


def _differences(case: Case, ask: Ask, answer: Answer, key: str, number: int) -> list[str]:
    expected = case.records.get(key)
    if expected is None:
        return []
    row = dict(zip(ask.columns, answer.rows[key][0], strict=True))
    return [f"key {number}: {name} differs" for name in expected if row.get(name) != expected[name]]


def _listed(allowed: frozenset[str]) -> str:
    return " or ".join(sorted(allowed))
