"""Whether this worker lives and is ready to answer, and what it has measured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hub.kernel.errors import Code, HubError
from hub.texts import Language, Texts, load_texts

CHECK_SECONDS = 2.0  # shorter than the probes' own patience, so that they hear which dependency hangs
NOT_KEPT: Mapping[str, str] = {"Cache-Control": "no-store"}

Check = Callable[[], Awaitable[None]]


def health_routes(checks: Mapping[str, Check], registry: CollectorRegistry) -> list[Route]:
    """``/healthz``, ``/readyz`` over the named checks (each raises if its part is away) and ``/metrics``."""
    return [
        Route("/healthz", alive),
        Route("/readyz", Readiness(checks).answer),
        Route("/metrics", measured(registry)),
    ]


async def alive(_: Request) -> Response:
    """200 as long as the event loop turns; says nothing of what the worker depends on."""
    return PlainTextResponse("ok\n", headers=dict(NOT_KEPT))


class Readiness:
    """Runs every check at once and says of each dependency whether it is there, and if not, why."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._texts = {language: load_texts(language) for language in Language}

    async def answer(self, _: Request) -> Response:
        """200 or 503 with ``{"ready", "dependencies": {name: {"ok", "code"?, "reason"?: {"zh", "en"}}}}``."""
        failures = await asyncio.gather(*map(_failure, self._checks.values()))
        ready = not any(failures)
        said = {name: self._said(code) for name, code in zip(self._checks, failures, strict=True)}
        return Response(
            msgspec.json.format(msgspec.json.encode({"ready": ready, "dependencies": said}), indent=2),
            status_code=200 if ready else 503,
            headers=dict(NOT_KEPT),
            media_type="application/json",
        )

    def _said(self, code: Code | None) -> Mapping[str, object]:
        if code is None:
            return {"ok": True}
        return {"ok": False, "code": code.label, "reason": _reason(code, self._texts)}


def measured(registry: CollectorRegistry) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with the registry in the Prometheus or OpenMetrics text format."""

    async def endpoint(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={**NOT_KEPT, "Content-Type": media_type})

    return endpoint


async def _failure(check: Check) -> Code | None:
    """The number of why a check failed; the exception's own words may hold values and are not passed on."""
    (result,) = await asyncio.gather(asyncio.wait_for(check(), CHECK_SECONDS), return_exceptions=True)
    match result:
        case None:
            return None
        case HubError():
            return result.problem.code
        case TimeoutError():
            return Code.STORE_UNAVAILABLE
        case _:
            return Code.INTERNAL


def _reason(code: Code, texts: Mapping[Language, Texts]) -> Mapping[str, str]:
    return {language.value: said.error(code).title for language, said in texts.items()}
