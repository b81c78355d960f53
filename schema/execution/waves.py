"""Runs a plan: its waves of fetches one after the other, then the code that shapes the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hub.facts.model import Need, Sourced
from hub.facts.rules import same_name
from hub.facts.service import Inquiry
from hub.kernel.errors import HubError
from schema.execution.plan import DeoptimisedError, Fetch, Keys, NameCheck, need_of
from schema.execution.prepare import Compiled, Ready
from schema.execution.shape import sources_of

UNPLANNED = (DeoptimisedError, KeyError, ValueError)
"""A key without an answer, a value that the code was not made for, or a log that takes no more subjects."""


class Waves:
    """The fetches of one request. ``asked`` keeps what came of them, also when the plan could not go on."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.asked: list[tuple[Need, Sourced]] = []
        self.sourced: dict[int, Sourced] = {}

    async def answer(self, ready: Ready, compiled: Compiled, region_name: Callable[[str], str | None]) -> Any:
        """The data of a planned operation, or one of UNPLANNED."""
        plan, keys = compiled.plan, Keys(ready.named)
        for number, wave in enumerate(plan.waves):
            await self._fetch(wave, keys)
            if number == 0:
                self._check_names(plan.checks, ready)
        for place in plan.unfetched:
            keys.of(place, self.sourced)
        if not keys.sound:
            raise DeoptimisedError
        with self.inquiry.service.tracing.span("shape"):
            rows = [self._rows(fetch) for fetch in plan.fetches]
            sources = [
                sources_of(self.sourced[fetch.index], parts) if fetch.index in self.sourced else None
                for fetch, parts in compiled.sources
            ]
            values = [read(ready.values) for read in plan.values]
            return compiled.shape(rows, sources, ready.named, values, region_name)

    async def _fetch(self, wave: Sequence[Fetch], keys: Keys) -> None:
        needs = [need_of(fetch, keys, self.sourced) for fetch in wave]
        known = [self._known(need) for need in needs]
        open_needs = [_without(need, there) for need, there in zip(needs, known, strict=True)]
        answers = iter(await self._asked([need for need in open_needs if need.subjects]))
        for fetch, need, there, asked in zip(wave, needs, known, open_needs, strict=True):
            sourced = _joined(there, next(answers) if asked.subjects else None)
            if sourced is not None:
                self.sourced[fetch.index] = sourced
                self.asked.append((need, sourced))

    async def _asked(self, needs: Sequence[Need]) -> tuple[Sourced, ...]:
        try:
            return await self.inquiry.fetch(needs)
        except HubError as unwritten:  # the ordinary executor tells it at the paths that it concerns
            raise DeoptimisedError from unwritten

    def _known(self, need: Need) -> Sourced | None:
        """What earlier waves have brought of the same record with at least these columns."""
        known: Sourced | None = None
        for before, sourced in self.asked:
            same = before.record == need.record and before.key == need.key
            if same and set(need.columns) <= set(before.columns):
                known = _joined(known, _projected(sourced, before, need))
        return known

    def _rows(self, fetch: Fetch) -> Any:
        return self.sourced[fetch.index].rows if fetch.index in self.sourced else {}

    def _check_names(self, checks: Sequence[NameCheck], ready: Ready) -> None:
        for check in checks:
            ((_, subject),) = ready.named[check.root]
            rows = self._rows(check.fetch)[subject.value]
            if rows and not same_name(check.given(ready.values), str(rows[0][check.fetch.at("name")])):
                raise DeoptimisedError


def _projected(sourced: Sourced, before: Need, need: Need) -> Sourced | None:
    """What an earlier answer holds for a need, with the need's columns; None when it holds nothing."""
    columns = [before.columns.index(code) for code in need.columns]
    values = [subject.value for subject in need.subjects]
    rows = {
        value: tuple(tuple(row[column] for column in columns) for row in sourced.rows[value])
        for value in values
        if value in sourced.rows
    }
    faults = {value: sourced.faults[value] for value in values if value in sourced.faults}
    return replace(sourced, rows=rows, faults=faults) if rows or faults else None


def _without(need: Need, known: Sourced | None) -> Need:
    if known is None:
        return need
    left = (one for one in need.subjects if one.value not in known.rows and one.value not in known.faults)
    return replace(need, subjects=tuple(left))


def _joined(known: Sourced | None, answer: Sourced | None) -> Sourced | None:
    """Two answers of one offering as one; it is as old as the older of them."""
    if known is None or answer is None:
        return known or answer
    moments = [one.as_of for one in (known, answer) if one.as_of is not None]
    return Sourced(
        known.supply,
        {**known.rows, **answer.rows},
        {**known.faults, **answer.faults},
        min(moments, default=None),
        min(known.fetched_at, answer.fetched_at),
    )
