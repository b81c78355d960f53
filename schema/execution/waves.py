"""Runs a plan: its waves of fetches one after the other, then the code that shapes the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        known = [
            self._known(fetch, need) if fetch.earlier else None
            for fetch, need in zip(wave, needs, strict=True)
        ]
        asked = [
            need if there is None else _without(need, there) for need, there in zip(needs, known, strict=True)
        ]
        answers = iter(await self._asked([need for need in asked if need.subjects]))
        for fetch, need, there, left in zip(wave, needs, known, asked, strict=True):
            answer = next(answers) if left.subjects else None
            sourced = answer if there is None else _joined(there, answer)
            if sourced is not None:
                self.sourced[fetch.index] = sourced
                self.asked.append((need, sourced))

    async def _asked(self, needs: Sequence[Need]) -> Sequence[Sourced]:
        if not needs:
            return ()
        try:
            return await self.inquiry.fetch(needs)
        except HubError as unwritten:  # the ordinary executor tells it at the paths that it concerns
            raise DeoptimisedError from unwritten

    def _known(self, fetch: Fetch, need: Need) -> Sourced | None:
        """What earlier waves have brought of the same record with at least these columns."""
        known: Sourced | None = None
        for before in fetch.earlier:
            if before.index in self.sourced:
                there = _projected(self.sourced[before.index], before, need)
                known = there if known is None else _joined(known, there)
        return known

    def _rows(self, fetch: Fetch) -> Any:
        return self.sourced[fetch.index].rows if fetch.index in self.sourced else {}

    def _check_names(self, checks: Sequence[NameCheck], ready: Ready) -> None:
        for check in checks:
            ((_, subject),) = ready.named[check.root]
            rows = self._rows(check.fetch)[subject.value]
            if rows and not same_name(check.given(ready.values), str(rows[0][check.fetch.at("name")])):
                raise DeoptimisedError


def _projected(sourced: Sourced, before: Fetch, need: Need) -> Sourced | None:
    """What an earlier answer holds for a need, with the need's columns; None when it holds nothing."""
    held = [value for _, value in need.subjects if value in sourced.rows]
    failed = [value for _, value in need.subjects if value in sourced.faults] if sourced.faults else ()
    if not held and not failed:
        return None
    columns = [before.columns[code] for code in need.columns]
    rows = {
        value: tuple([tuple([row[column] for column in columns]) for row in sourced.rows[value]])
        for value in held
    }
    return sourced._replace(rows=rows, faults={value: sourced.faults[value] for value in failed})


def _without(need: Need, known: Sourced) -> Need:
    left = [one for one in need.subjects if one.value not in known.rows and one.value not in known.faults]
    return need._replace(subjects=tuple(left))


def _joined(known: Sourced, answer: Sourced | None) -> Sourced:
    """Two answers of one offering as one; it is as old as the older of them."""
    if answer is None:
        return known
    moments = [one.as_of for one in (known, answer) if one.as_of is not None]
    return Sourced(
        known.supply,
        {**known.rows, **answer.rows},
        {**known.faults, **answer.faults},
        min(moments, default=None),
        min(known.fetched_at, answer.fetched_at),
    )
