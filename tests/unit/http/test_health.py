"""Readiness names each dependency, says why one is away, and repeats nothing that an exception said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from hub.http import health
from hub.http.health import Check, health_routes
from hub.kernel.errors import Code, HubError
from tests.web.asking import Answer, get

SECRET = "postgres://hub:hunter2@db/hub"


async def there() -> None:
    """A dependency that answers."""


async def away() -> None:
    raise HubError(Code.LOG_UNAVAILABLE)


async def broken() -> None:
    raise RuntimeError(SECRET)


async def hanging() -> None:
    await asyncio.Event().wait()


def app(checks: Mapping[str, Check], registry: CollectorRegistry | None = None) -> Starlette:
    return Starlette(routes=list(health_routes(checks, registry or CollectorRegistry())))


async def ready(checks: Mapping[str, Check]) -> Answer:
    return await get(app(checks), "/readyz")


async def test_alive_whatever_is_away() -> None:
    assert (await get(app({"log": away}), "/healthz")).status == 200


async def test_ready_when_every_dependency_answers() -> None:
    answer = await ready({"database": there, "log": there})
    assert answer.status == 200
    assert answer.json == {"ready": True, "dependencies": {"database": {"ok": True}, "log": {"ok": True}}}
    assert answer.headers["cache-control"] == "no-store"


async def test_a_dependency_that_is_away_is_named_with_its_number_and_reason() -> None:
    answer = await ready({"database": there, "log": away})
    assert answer.status == 503
    said = answer.json["dependencies"]
    assert said["database"] == {"ok": True}
    assert said["log"] == {
        "ok": False, "code": "HUB-201",
        "reason": {"zh": "查询登记不了", "en": "The look-up cannot be recorded"},
    }  # fmt: skip


async def test_what_an_exception_said_is_not_repeated() -> None:
    answer = await ready({"database": broken})
    assert answer.json["dependencies"]["database"]["code"] == "HUB-401"
    assert "hunter2" not in answer.text


async def test_a_dependency_that_hangs_does_not_hang_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.01)
    answer = await ready({"database": hanging, "log": there})
    assert answer.json["dependencies"]["database"]["code"] == "HUB-203"


@pytest.mark.parametrize(
    ("accept", "media_type"), [("*/*", "text/plain"), ("application/openmetrics-text", "openmetrics")]
)
async def test_metrics_are_those_of_the_registry(accept: str, media_type: str) -> None:
    registry = CollectorRegistry()
    Counter("hub_answers", "Answers given.", registry=registry).inc(3)
    answer = await get(app({}, registry), "/metrics", {"accept": accept})
    assert "hub_answers_total 3.0" in answer.text
    assert media_type in answer.headers["content-type"]
