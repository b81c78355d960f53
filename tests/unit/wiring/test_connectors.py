"""Opening connectors: nothing but a numbered error comes out, and no manifest leads back to the hub."""

from __future__ import annotations

import time

import pytest
from aiohttp import web
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry

from connectors.cache import Cache
from connectors.contract import Ask, Fault
from connectors.metering import Meter
from hub.kernel.clock import SystemClock
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import read_settings
from hub.kernel.trace import UNTRACED, Traced, Tracing
from hub.wiring import Connectors
from tests.connectors import samples, services

REST = samples.rest("http://127.0.0.1:9000")
KEY = '[connector.credentials]\napi_key = { header = "X-Key", slot = "token" }\n[connector.limits]'
CA = '[connector.address]\nca = """-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"""'


def connectors(tracing: Tracing = UNTRACED, **settings: str) -> Connectors:
    environ = {
        "HUB_AGENCY_NETWORKS": "127.0.0.0/8:1-65535 ::1/128:1-65535",
        "HUB_ISSUER": "http://127.0.0.1:1",
    }
    read = read_settings(environ | {f"HUB_{name.upper()}": value for name, value in settings.items()})
    nothing = Cache(0, str.encode, samples.now)
    return Connectors(read, SystemClock(), Meter(CollectorRegistry()), nothing, tracing)


@pytest.mark.parametrize(
    ("text", "secrets", "path"),
    [
        ("", {}, "connector"),
        (REST.replace(":9000", ":99999"), {}, "connector.address.url"),
        (REST.replace("[connector.limits]", KEY), {}, "connector.credentials"),
        (REST.replace("[connector.limits]", KEY), {"token": "s3cret\r\nX: 1"}, "connector.credentials.token"),
        (
            REST.replace("[connector.address]", CA).replace("http://", "https://"),
            {},
            "connector.address.ca",
        ),
    ],
)
def test_what_cannot_be_opened_names_its_place(text: str, secrets: dict[str, str], path: str) -> None:
    with pytest.raises(HubError) as refused:
        connectors().open(text, secrets)
    assert refused.value.problem.code is Code.MANIFEST_INVALID
    assert refused.value.problem.detail["path"] == path
    assert "s3cret" not in repr(refused.value.problem)


def test_whatever_breaks_while_opening_is_a_numbered_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_given: object) -> None:
        raise UnicodeError("a value")

    monkeypatch.setattr("hub.wiring.open_connector", breaks)
    with pytest.raises(HubError) as refused:
        connectors().open(REST, {})
    assert refused.value.problem.code is Code.MANIFEST_INVALID
    assert dict(refused.value.problem.detail) == {"path": "connector", "rule": "can be opened"}


async def is_open(opened: Connectors, port: int, host: str = "127.0.0.1") -> bool:
    place = await opened.transport.place(host, port, time.monotonic() + 2)
    return not isinstance(place, Fault)


@pytest.mark.parametrize(
    ("settings", "ports"),
    [
        ({"port": "8399"}, [8399]),
        ({"database_url": "postgresql://hub:pw@127.0.0.1/hub"}, [5432]),
        ({"database_url": "postgresql://hub:pw@/hub?host=127.0.0.1&port=5433"}, [5433]),
        ({"database_url": "postgresql:///hub?host=127.0.0.1,::1&port=5433,5434"}, [5433, 5434]),
        ({"database_url": "postgresql://127.0.0.1:5433,localhost:5434/hub"}, [5433, 5434]),
        ({"owner_database_url": "postgresql://hub@127%2E0%2E0%2E1:5435/hub"}, [5435]),
        ({"database_url": "postgresql:///hub"}, [5432]),
        ({"issuer": "http://127.0.0.1:8444/hub"}, [8444]),
        ({"issuer": "https://localhost"}, [443]),
    ],
)
async def test_no_connector_reaches_the_hub_or_its_database(
    settings: dict[str, str], ports: list[int]
) -> None:
    opened = connectors(**settings)
    for port in ports:
        assert not await is_open(opened, port), port
        assert not await is_open(opened, port, "::1"), "at any address of this machine"
    assert await is_open(opened, 9000)


async def test_sockets_in_the_file_system_close_no_port() -> None:
    assert await is_open(connectors(database_url="postgresql://hub:pw@/hub?host=/run/postgresql"), 5432)


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("database_url", "postgresql://hub:s3cret@h1:99999/hub"),
        ("owner_database_url", "postgresql://hub:s3cret@h1,,h2/hub"),
        ("database_url", "postgresql://hub:s3cret@h1/hub?service=main"),
        ("issuer", "http://hub.example:99999"),
    ],
)
def test_an_address_that_cannot_be_read_is_a_wrong_setting(setting: str, url: str) -> None:
    with pytest.raises(HubError) as refused:
        connectors(**{setting: url})
    assert refused.value.problem.code is Code.SETTING_INVALID
    assert refused.value.problem.detail["setting"] == f"HUB_{setting.upper()}"
    assert "s3cret" not in repr(refused.value.problem)


async def test_an_agency_is_sent_the_requests_id_and_trace() -> None:
    seen: list[tuple[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.headers["X-Correlation-Id"], request.headers["traceparent"]))
        return web.json_response({"code": "0", "total": 0, "data": []})

    tracing = Traced(TracerProvider(shutdown_on_exit=False))
    deadline = time.monotonic() + 2
    async with services.http(handle) as port:
        opened = connectors(tracing)
        agency = opened.open(samples.rest(f"http://127.0.0.1:{port}"), {})
        with tracing.request("request", {}):
            expected = tracing.traceparent()
            await agency.fetch(Ask("person", ("11010519491231002X",), ("name",), (), deadline, "request-7"))
        await agency.close()
        await opened.close()
    assert seen == [("request-7", expected)]
