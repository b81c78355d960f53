"""A wrong answer shows as its agency's numbered error, never as a fact, and spoils no other agency's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web

from connectors.conformance.cases import KNOWN, UNKNOWN
from connectors.contract import Connector
from tests.connectors import samples, services
from tests.graphql.conftest import Counter
from tests.graphql.town import ANNA, POLICE, Town

QUESTION = (
    '{ person(idNumber: "%s") { idNumber name certificates(types: ["physician_practice"]) { number } } }'
    % ANNA
)


class Bureau:
    """An HTTP service that behaves as the case says, and counts its calls."""

    def __init__(self) -> None:
        self.case = "found"
        self.calls = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.calls += 1
        return await services.rest_handler(self.case)(request)


class TownWithBureau(Town):
    """The town, with the police behind a real connector of the kind rest."""

    def __init__(self, port: int, bureau: Bureau) -> None:
        super().__init__()
        self.bureau = bureau
        self.manifest = samples.rest(f"http://127.0.0.1:{port}")
        self.transport = samples.transport()

    def open(self, text: str, credentials: Mapping[str, str]) -> Connector:  # type: ignore[override]  # any kind
        if text == "police":
            return samples.opened(self.manifest, self.transport)
        return super().open(text, credentials)

    async def close(self) -> None:
        await self.transport.close()


@pytest.fixture
async def town() -> AsyncIterator[TownWithBureau]:
    bureau = Bureau()
    async with services.http(bureau) as port:
        made = TownWithBureau(port, bureau)
        yield made
        await made.close()


async def test_a_right_answer(counter: Counter, town: TownWithBureau) -> None:
    assert KNOWN == ANNA
    reply = await counter.ask(QUESTION)
    assert reply.body["data"]["person"]["name"] == "张三"
    assert not reply.codes
    assert town.bureau.calls == 1


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("redirect", "HUB-307"),
        ("too_large", "HUB-303"),  # it sends 1 GB to whoever goes on reading
        ("duplicates", "HUB-305"),
        ("wrong_subject", "HUB-305"),
        ("html", "HUB-302"),
        ("absurd_retry_after", "HUB-301"),
        ("unknown_code", "HUB-306"),
        ("short_answer", "HUB-308"),
    ],
)
async def test_a_wrong_answer(counter: Counter, town: TownWithBureau, case: str, code: str) -> None:
    town.bureau.case = case
    reply = await counter.ask(QUESTION)
    assert reply.status == 200
    assert reply.body["data"]["person"] == {
        "idNumber": ANNA,
        "name": None,
        "certificates": [{"number": "鲁P1"}],
    }
    (error,) = reply.body["errors"]
    assert error["path"] == ["person", "name"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["agency"] == POLICE.code
    assert error["extensions"]["outcome"] == "unavailable"
    assert UNKNOWN not in reply.content.decode()
    assert "张三" not in reply.content.decode()
    (source,) = [one for one in (await counter.entries())[-1]["sources"] if one["record"] == "person"]
    assert source["outcomes"] == {"unavailable": 1}
