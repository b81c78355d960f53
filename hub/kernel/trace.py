"""Tells OpenTelemetry where a request's time goes when the operator wants it, and costs nothing when not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, TypeVar

from hub.kernel.errors import Code, HubError

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import SpanKind

SERVICE = "proofless-hub"
TRACES_PATH = "/v1/traces"
FLUSH_MILLISECONDS = 2_000
CARRIED = ("traceparent", "tracestate")  # W3C Trace Context
ATTRIBUTES = frozenset(
    {"code", "connector", "count", "inquiry", "key", "operation", "record", "status", "wave"}
)
"""What a span may say; another key is left out. None of them ever holds a subject, a name or a value."""

Detail = str | int
Given = TypeVar("Given")
Done = TypeVar("Done")


class Tracing(Protocol):
    """Spans of what a request does. The running span is the parent of those begun within it."""

    def request(
        self, name: str, headers: Mapping[bytes, bytes], /, **details: Detail
    ) -> AbstractContextManager[None]:
        """The span of a whole request; ``headers`` (keys in lower case) may hold W3C Trace Context."""
        ...

    def span(self, name: str, /, **details: Detail) -> AbstractContextManager[None]:
        """A part of the request; an exception marks it as failed, by its type only."""
        ...

    def within(
        self, name: str, do: Callable[[Given], Awaitable[Done]], given: Given, /, **details: Detail
    ) -> Awaitable[Done]:
        """What ``do(given)`` awaits, as a span of its own also when others run at the same time."""
        ...

    def note(self, /, **details: Detail) -> None:
        """Adds what has only become known now to the running span; empty texts are left out."""
        ...

    def traceparent(self) -> str | None:
        """What tells whom we ask that it belongs to the running span (W3C Trace Context); None: nothing."""
        ...

    def close(self) -> None:
        """Sends what has not been sent; takes two seconds at the most."""
        ...


class Untraced:
    """Traces nothing."""

    _nothing: AbstractContextManager[None] = nullcontext()

    def request(
        self, _name: str, _headers: Mapping[bytes, bytes], /, **_details: Detail
    ) -> AbstractContextManager[None]:
        """Nothing."""
        return self._nothing

    def span(self, _name: str, /, **_details: Detail) -> AbstractContextManager[None]:
        """Nothing."""
        return self._nothing

    def within(
        self, _name: str, do: Callable[[Given], Awaitable[Done]], given: Given, /, **_details: Detail
    ) -> Awaitable[Done]:
        """No more than that."""
        return do(given)

    def note(self, /, **_details: Detail) -> None:
        """Nothing."""

    def traceparent(self) -> str | None:
        """Nothing."""
        return None

    def close(self) -> None:
        """Nothing."""


UNTRACED = Untraced()


class Traced:
    """Traces through a provider of the SDK, which also heeds its own variables (``OTEL_TRACES_SAMPLER``…)."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._api = trace
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def request(self, name: str, headers: Mapping[bytes, bytes], /, **details: Detail) -> Iterator[None]:
        """As Tracing tells."""
        sent = {
            key: value.decode("latin-1")
            for key in CARRIED
            if (value := headers.get(key.encode())) is not None
        }
        with self._begun(name, self._propagator.extract(sent), self._api.SpanKind.SERVER, details):
            yield

    @contextmanager
    def span(self, name: str, /, **details: Detail) -> Iterator[None]:
        """As Tracing tells."""
        with self._begun(name, None, self._api.SpanKind.INTERNAL, details):
            yield

    async def within(
        self, name: str, do: Callable[[Given], Awaitable[Done]], given: Given, /, **details: Detail
    ) -> Done:
        """As Tracing tells."""
        with self.span(name, **details):
            return await do(given)

    def note(self, /, **details: Detail) -> None:
        """As Tracing tells."""
        self._api.get_current_span().set_attributes(_allowed(details))

    def traceparent(self) -> str | None:
        """As Tracing tells."""
        running = self._api.get_current_span().get_span_context()
        if not running.is_valid:
            return None
        return f"00-{running.trace_id:032x}-{running.span_id:016x}-{running.trace_flags:02x}"

    def close(self) -> None:
        """As Tracing tells."""
        self._provider.force_flush(FLUSH_MILLISECONDS)
        self._provider.shutdown()

    @contextmanager
    def _begun(
        self, name: str, parent: Context | None, kind: SpanKind, details: Mapping[str, Detail]
    ) -> Iterator[None]:
        """The SDK would note an exception's words, which may hold a value; only its type is told."""
        with self._tracer.start_as_current_span(
            name, parent, kind, _allowed(details), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(self._api.Status(self._api.StatusCode.ERROR))
                raise


def open_tracing(endpoint: str | None) -> Tracing:
    """Traces for the collector at ``endpoint`` (its base URL, OTLP over HTTP); None: traces nothing.

    Raises HubError(SETTING_INVALID) when the extra is not installed.
    """
    if endpoint is None:
        return UNTRACED
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        rule = "unset, or the extra otel installed"
        raise HubError(Code.SETTING_INVALID, setting="HUB_OTEL_ENDPOINT", rule=rule) from error
    resource = Resource.create({"service.name": SERVICE})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint + TRACES_PATH)))
    return Traced(provider)


def _allowed(details: Mapping[str, Detail]) -> dict[str, Detail]:
    return {f"hub.{key}": value for key, value in details.items() if key in ATTRIBUTES and value != ""}
