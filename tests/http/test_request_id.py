"""One id leads from the client's log through ours to the agency's; a trace joins the client's own."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from hub.asgi import application
from hub.audit.service import AuditService
from hub.evidence.service import ReceiptService
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import read_settings
from hub.kernel.trace import Traced
from hub.wiring import assemble
from tests.graphql.conftest import CLIENT, Counter, Reply
from tests.graphql.test_one_question import JOIN
from tests.graphql.town import ACME, ANNA, DOWN
from tests.http.conftest import trust
from tests.http.test_named import QUERY, post
from tests.unit.kernel.test_log import configured
from tests.unit.kernel.test_trace import CLIENTS

NAME = '{ person(idNumber: "%s") { name } }' % ANNA


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with configured(stream):
        yield stream


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def traced(
    counter: Counter, exporter: InMemorySpanExporter, database_url: str, tmp_path: Path
) -> AsyncIterator[Counter]:
    """The counter, traced."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = read_settings({"HUB_DATABASE_URL": database_url, "HUB_DATA": str(tmp_path)})
    registry, database = CollectorRegistry(), await Database.open(database_url)
    town = counter.town
    hub = assemble(settings, database, town.open, town.close, registry, tracing=Traced(provider))
    async with hub.running():
        yield replace(counter, hub=hub, app=application(hub, registry))


def receipt_id(reply: Reply) -> str:
    claims = reply.body["extensions"]["receipt"].split(".")[1]
    found: str = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
    return found


def entries(written: io.StringIO, event: str) -> list[dict[str, Any]]:
    return [one for one in map(json.loads, written.getvalue().splitlines()) if one["event"] == event]


@pytest.mark.parametrize("way", ["graphql", "by name"])
async def test_client_log_agency_and_receipt_know_a_request_by_one_id(
    counter: Counter, owner_database: Database, way: str
) -> None:
    await trust(counter, owner_database, QUERY)
    reply = await (counter.ask(NAME) if way == "graphql" else post(counter, "PersonName", {"id": ANNA}))
    assert reply.status == 200
    request_id = reply.headers["hub-request-id"]
    assert receipt_id(reply) == request_id
    assert {ask.correlation for ask in counter.town.asked} == {request_id}
    assert [entry["id"] for entry in await counter.entries() if entry["kind"] == "intent"] == [request_id]


async def test_an_agencys_failure_names_the_request(counter: Counter) -> None:
    counter.town.police.fault = replace(DOWN, correlation=None)
    reply = await counter.ask(NAME)
    assert reply.status == 200
    assert reply.headers["hub-request-id"] == receipt_id(reply)


REFUSED = {
    "by the document": ("{ nothing }", "HUB-111"),
    "by the permit": (
        '{ person(idNumber: "%s") { certificates(types: ["sealed_will"]) { number } } }' % ANNA,
        "HUB-311",
    ),
}


@pytest.mark.parametrize(("query", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_a_refusal_has_an_id_and_is_found_by_it(
    counter: Counter, written: io.StringIO, query: str, code: str
) -> None:
    replies = [await counter.ask(query) for _ in range(2)]
    assert [reply.codes for reply in replies] == [[code], [code]]
    ids = [reply.headers["hub-request-id"] for reply in replies]
    assert {UUID(one).version for one in ids} == {7}
    logged = [(one["inquiry"], one["code"], one["client"]) for one in entries(written, "request_refused")]
    assert logged == [(one, code, CLIENT) for one in ids]
    assert len(set(ids)) == 2


async def test_who_has_no_token_fills_no_log(counter: Counter, written: io.StringIO) -> None:
    reply = await counter.post(b"{}", {"authorization": ""})
    assert (reply.codes, "hub-request-id" in reply.headers) == (["HUB-130"], True)
    assert written.getvalue() == ""


async def test_what_breaks_on_the_way_is_logged_with_the_inquirys_id(
    counter: Counter, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(ReceiptService, "seal", breaks)
    reply = await counter.ask(NAME)
    (intent, *_) = await counter.entries()
    assert (reply.codes, reply.headers["hub-request-id"]) == (["HUB-401"], intent["id"])
    assert [one["inquiry"] for one in entries(written, "request_failed")] == [intent["id"]]


async def test_a_log_that_fails_later_keeps_the_inquirys_id(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise HubError(Code.OUTCOME_UNRECORDED)

    monkeypatch.setattr(AuditService, "record_outcome", fails)
    reply = await counter.ask(NAME)
    (intent,) = await counter.entries()
    assert (reply.codes, reply.headers["hub-request-id"]) == (["HUB-202"], intent["id"])


async def test_the_request_is_a_span_below_the_clients_own(
    traced: Counter, exporter: InMemorySpanExporter
) -> None:
    headers = {"traceparent": CLIENTS, "tracestate": "city=1"}
    reply = await traced.post(b'{"query": "{ __typename }"}', headers)
    (span,) = exporter.get_finished_spans()
    assert span.name == "request"
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(CLIENTS.split("-")[1:3])
    assert dict(span.attributes or {}) == {"hub.inquiry": reply.headers["hub-request-id"]}


async def test_a_refused_requests_span_says_why(traced: Counter, exporter: InMemorySpanExporter) -> None:
    reply = await traced.ask("{ nothing }")
    (span,) = exporter.get_finished_spans()
    assert dict(span.attributes or {}) == {
        "hub.inquiry": reply.headers["hub-request-id"],
        "hub.code": "HUB-111",
    }


def tree(exporter: InMemorySpanExporter) -> dict[str, list[str]]:
    """The names of the spans below each span, in their order."""
    spans = exporter.get_finished_spans()
    names = {span.context.span_id: span.name for span in spans if span.context}
    found: dict[str, list[str]] = {}
    for span in sorted(spans, key=lambda one: one.start_time or 0):
        if span.parent is not None:
            found.setdefault(names[span.parent.span_id], []).append(span.name)
    return found


async def test_every_step_of_a_question_is_a_span_of_its_own(
    traced: Counter, exporter: InMemorySpanExporter
) -> None:
    reply = await traced.ask('{ person(idNumber: "%s") { name businesses { name } } }' % ANNA)
    assert reply.status == 200
    assert tree(exporter) == {
        "request": ["permit", "log", "fetch", "fetch", "log", "fetch", "shape", "seal", "log"]
    }
    fetches = [dict(span.attributes or {}) for span in exporter.get_finished_spans() if span.name == "fetch"]
    assert sorted((one["hub.record"], one["hub.connector"], one["hub.count"]) for one in fetches) == [
        ("business", "market", 1),
        ("business_role", "market", 1),
        ("person", "police", 1),
    ]


async def test_what_the_ordinary_executor_answers_is_traced_too(
    traced: Counter, exporter: InMemorySpanExporter
) -> None:
    traced.town.police.fault = DOWN
    reply = await traced.ask(NAME)
    assert reply.codes == ["HUB-211"]
    steps = tree(exporter)["request"]
    assert [step for step in dict.fromkeys(steps) if step != "shape"] == ["permit", "log", "fetch", "seal"]


async def test_no_span_tells_whom_it_was_about(traced: Counter, exporter: InMemorySpanExporter) -> None:
    await traced.ask(JOIN, {"id": ANNA, "types": ["drug_business_licence"]})
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert "fetch" in told
    assert not any(value in told for value in (ANNA, ACME, "安娜"))
