"""What the operator sees of a day's questions: counters by outcome, and failures by their place."""

from __future__ import annotations

import re

import pytest
from structlog.testing import capture_logs

from tests.graphql.conftest import Counter, call
from tests.graphql.town import ANNA, DOWN

NAME = '{ person(idNumber: "%s") { name region { name } } }' % ANNA


async def sample(counter: Counter, name: str, **labels: str) -> float:
    """One value of the worker's metrics; nought where there is none."""
    told = (await call(counter.app, "GET", "/metrics", {})).content.decode()
    wanted = ",".join(f'{label}="{value}"' for label, value in labels.items())
    found = re.search(rf"^{name}\{{{re.escape(wanted)}\}} (\S+)$", told, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_requests_are_counted_by_what_came_of_them(counter: Counter) -> None:
    await counter.ask(NAME)
    await counter.ask(NAME)
    await counter.ask(NAME, client="kiosk")
    await counter.ask(NAME, purpose=None)
    assert await sample(counter, "hub_requests_total", code="", route="/graphql", status="200") == 2
    assert await sample(counter, "hub_requests_total", code="HUB-144", route="/graphql", status="403") == 1
    assert await sample(counter, "hub_requests_total", code="HUB-140", route="/graphql", status="400") == 1


async def test_answers_that_left_their_plan_are_counted_by_why(counter: Counter) -> None:
    await counter.ask(NAME)
    assert "hub_plan_detours_total{" not in (await call(counter.app, "GET", "/metrics", {})).content.decode()
    counter.town.police.fault = DOWN
    await counter.ask(NAME)
    told = (await call(counter.app, "GET", "/metrics", {})).content.decode()
    assert re.search(r'^hub_plan_detours_total\{reason="\w+"\} 1\.0$', told, re.MULTILINE)


async def test_a_failing_resolver_is_found_by_its_place(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> str:
        raise ValueError(f"{ANNA} is a value")

    monkeypatch.setattr(counter.hub.regions, "full_name", broken)
    with capture_logs() as logs:
        reply = await counter.ask(NAME)
    assert reply.codes == ["HUB-401"]
    (entry,) = [entry for entry in logs if entry["event"] == "resolver_failed"]
    assert isinstance(entry["exc_info"], ValueError)
    assert re.fullmatch("[0-9a-f]{64}", entry["operation"])
    assert set(entry) == {"event", "log_level", "operation", "exc_info"}
