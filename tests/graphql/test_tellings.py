"""An agency that must be told the purpose of a call has one call for each request, with its purpose alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from connectors.cache import Cache
from connectors.contract import Ask, Connector, Tell
from connectors.metering import Meter
from connectors.wrappers import wrap
from tests.connectors import samples
from tests.graphql.conftest import PURPOSE, Counter
from tests.graphql.town import ANNA, BEN, Town

QUESTION = "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { name } }"
CASES = ("淄审批〔2026〕12号", "淄审批〔2026〕13号")


class WrappedTown(Town):
    """The town with its police behind every wrapper, those included that share calls and keep facts."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self.police.offerings = {
            name: replace(offering, tell=tell, freshness=timedelta(days=36_500))
            for name, offering in self.police.offerings.items()
        }
        self.cache = Cache(1_000_000, lambda key: hashlib.sha256(key.encode()).digest(), _now)

    def open(self, text: str, credentials: Mapping[str, str]) -> Connector:  # type: ignore[override]  # any kind
        if text != "police":
            return super().open(text, credentials)
        manifest = samples.manifest(samples.graphql("http://127.0.0.1:1"))
        limits = replace(manifest.limits, repeatable=frozenset(self.police.offerings))
        meter = Meter(CollectorRegistry())
        return wrap(self.police, replace(manifest, limits=limits), meter, 1, self.cache)


def _now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def town(request: pytest.FixtureRequest) -> Town:
    return WrappedTown(getattr(request, "param", Tell.PER_CALL))


async def together(counter: Counter, *cases: str) -> list[Ask]:
    """What the police are asked by questions about the same people that are in flight at the same time."""
    met = asyncio.Barrier(len(cases))

    async def wait_for_all(_ask: Ask) -> None:
        async with asyncio.timeout(2):
            await met.wait()

    counter.town.police.before = wait_for_all
    replies = await asyncio.gather(
        *(counter.ask(QUESTION, {"ids": [ANNA, BEN]}, purpose={**PURPOSE, "case": case}) for case in cases)
    )
    assert [reply.codes for reply in replies] == [[]] * len(cases)
    return counter.town.police.asks


@pytest.mark.parametrize("town", [Tell.NONE], indirect=True)
async def test_what_needs_no_purpose_is_shared(counter: Counter) -> None:
    for case in CASES:
        await together(counter, case)
    (ask,) = counter.town.police.asks
    assert ask.tellings == ()


async def test_two_requests_never_share_a_call(counter: Counter) -> None:
    asks = await together(counter, *CASES)
    assert sorted(one.case for ask in asks for one in ask.tellings) == sorted(CASES)
    assert [len(ask.tellings) for ask in asks] == [1, 1]
    assert [set(ask.keys) for ask in asks] == [{ANNA, BEN}] * 2
    assert len({ask.correlation for ask in asks}) == 2


async def test_nor_do_two_of_the_same_purpose_or_one_after_the_other(counter: Counter) -> None:
    assert len(await together(counter, CASES[0], CASES[0])) == 2
    asks = await together(counter, CASES[0])
    assert len(asks) == 3
    assert len({ask.correlation for ask in asks}) == 3


async def test_all_of_the_purpose_is_told(counter: Counter) -> None:
    (ask,) = await together(counter, CASES[0])
    (told,) = ask.tellings
    assert (told.agency, told.procedure, told.case) == (PURPOSE["agency"], PURPOSE["procedure"], CASES[0])
    assert (told.client, told.actor) == ("window-system", PURPOSE["officer"])
