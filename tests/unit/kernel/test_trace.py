"""Spans form one tree from the client's to the agency's, say nothing personal, and cost nothing when off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Awaitable
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from hub.kernel.errors import Code, HubError
from hub.kernel.trace import Traced, Untraced, open_tracing

CLIENTS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ID_NUMBER = "11010519491231002X"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Traced:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Traced(provider)


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


async def test_spans_of_tasks_hang_below_the_clients_own_span(
    tracing: Traced, exporter: InMemorySpanExporter
) -> None:
    told: list[str | None] = []

    async def ask(record: str) -> str:
        await asyncio.sleep(0)
        told.append(tracing.traceparent())
        return record

    def fetch(record: str) -> Awaitable[str]:
        return tracing.within(f"fetch {record}", ask, record, record=record, count=2)

    with tracing.request("graphql", {b"traceparent": CLIENTS.encode(), b"tracestate": b"city=1"}):
        with tracing.span("permit"):
            pass
        assert await asyncio.gather(fetch("person"), fetch("business")) == ["person", "business"]
    spans = named(exporter)
    root, person = spans["graphql"], spans["fetch person"]
    assert root.parent is not None
    assert f"{root.parent.span_id:016x}" == CLIENTS.split("-")[2]
    assert root.kind is SpanKind.SERVER
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context} == {
        CLIENTS.split("-")[1]
    }
    assert root.context is not None
    assert {span.parent.span_id for name, span in spans.items() if span.parent and name != "graphql"} == {
        root.context.span_id
    }
    assert person.context is not None
    assert told[0] == f"00-{CLIENTS.split('-')[1]}-{person.context.span_id:016x}-01"
    assert dict(person.attributes or {}) == {"hub.record": "person", "hub.count": 2}


@pytest.mark.parametrize(
    "header", ["", "garbage", CLIENTS[:-1], CLIENTS.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32)]
)
def test_a_traceparent_that_is_none_begins_a_trace_of_our_own(
    tracing: Traced, exporter: InMemorySpanExporter, header: str
) -> None:
    with tracing.request("graphql", {b"traceparent": header.encode()}):
        pass
    assert named(exporter)["graphql"].parent is None


def test_a_client_that_is_not_sampled_is_not_exported_but_passed_on(
    tracing: Traced, exporter: InMemorySpanExporter
) -> None:
    with tracing.request("graphql", {b"traceparent": CLIENTS[:-2].encode() + b"00"}):
        passed = tracing.traceparent()
    assert passed is not None
    assert passed.split("-")[1] == CLIENTS.split("-")[1]
    assert passed.endswith("-00")
    assert exporter.get_finished_spans() == ()


def test_nothing_personal_stands_in_a_span(tracing: Traced, exporter: InMemorySpanExporter) -> None:
    with (
        pytest.raises(ValueError, match=ID_NUMBER),
        tracing.request("graphql", {}),
        tracing.span("fetch", subject=ID_NUMBER, record="person"),
    ):
        raise ValueError(ID_NUMBER)
    assert len(exporter.get_finished_spans()) == 2
    for span in exporter.get_finished_spans():
        assert ID_NUMBER not in span.to_json()
        assert span.status.status_code is StatusCode.ERROR
        assert (span.attributes or {})["error.type"] == "ValueError"


def test_without_an_endpoint_nothing_is_traced_nor_imported() -> None:
    code = (
        "import sys\nfrom hub.kernel.trace import open_tracing\n"
        "tracing = open_tracing(None)\n"
        "with tracing.request('graphql', {b'traceparent': b''}), tracing.span('permit', count=1): pass\n"
        "tracing.note(inquiry='1'); assert tracing.traceparent() is None; tracing.close()\n"
        "assert tracing.span('a') is tracing.span('b')\n"
        "given = object(); assert tracing.within('fetch', lambda one: one, given, count=1) is given\n"
        "assert 'opentelemetry' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert isinstance(open_tracing(None), Untraced)


def test_an_endpoint_without_the_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(HubError) as caught:
        open_tracing("http://127.0.0.1:4318")
    assert caught.value.problem.code is Code.SETTING_INVALID
    assert caught.value.problem.detail["setting"] == "HUB_OTEL_ENDPOINT"


def test_spans_reach_a_collector_before_the_worker_ends() -> None:
    seen: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        tracing = open_tracing(f"http://127.0.0.1:{server.server_port}")
        with tracing.request("graphql", {}):
            pass
        tracing.close()
        server.shutdown()
        thread.join()
    assert [path for path, _ in seen] == ["/v1/traces"]
    assert b"proofless-hub" in seen[0][1]
