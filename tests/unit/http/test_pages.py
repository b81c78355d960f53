"""What the pages answer over HTTP: words, languages, policies, validators; no browser needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256

import pytest
from starlette.applications import Starlette

from hub.catalogue.model import Label
from hub.http.board import FRESH_SECONDS, AgencyBoard, AgencyState
from hub.http.pages import FOLDER, routes
from hub.kernel.clock import SystemClock
from hub.kernel.errors import Code, HubError
from tests.web.asking import get
from tests.web.server import agencies, application

PAGES = ("/", "/graphiql", "/errors")


@pytest.fixture(scope="module")
def app() -> Starlette:
    return application(demo=False)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("query", "tag"), [("", "zh-CN"), ("?lang=en", "en"), ("?lang=fr", "zh-CN")])
async def test_chinese_comes_first_and_english_by_a_switch(
    app: Starlette, page: str, query: str, tag: str
) -> None:
    assert f'<html lang="{tag}"' in (await get(app, page + query)).text


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_may_load_from_the_hub_only_and_run_no_inline_script(app: Starlette, page: str) -> None:
    answer = await get(app, page)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.findall(r'(?:src|href)="(?!/|#)', answer.text)
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", answer.text)
    assert not re.findall(r"\son\w+=|\sstyle=", answer.text)


@pytest.mark.parametrize("path", [*PAGES, "/web/shared/tokens.css"])
async def test_every_answer_carries_the_browser_headers(app: Starlette, path: str) -> None:
    headers = (await get(app, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


async def test_the_list_of_errors_names_every_number_with_an_anchor(app: Starlette) -> None:
    text = (await get(app, "/errors")).text
    assert re.findall(r'<article id="(HUB-\d+)"', text) == [code.label for code in Code]


async def test_the_start_page_says_which_agency_is_away_and_why(app: Starlette) -> None:
    text = (await get(app, "/?lang=en")).text
    assert text.count("Answering") == 2
    assert '<a href="/errors?lang=en#HUB-212">HUB-212 ' in text


async def test_the_start_page_opens_when_the_agencies_cannot_be_read() -> None:
    async def away() -> Sequence[AgencyState]:
        raise HubError(Code.STORE_UNAVAILABLE)

    app = Starlette(routes=list(routes(SystemClock(), away)))
    assert "现在查不到各部门的状态" in (await get(app, "/")).text


async def test_names_of_agencies_are_escaped() -> None:
    async def hostile() -> Sequence[AgencyState]:
        return [AgencyState(Label("<script>", "<script>"), None)]

    app = Starlette(routes=list(routes(SystemClock(), hostile)))
    assert "&lt;script&gt;" in (await get(app, "/")).text


class Stopped:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> None:
        raise AssertionError

    def monotonic(self) -> float:
        return self.seconds


async def test_agencies_are_asked_once_in_a_while_however_many_look() -> None:
    asked = 0

    async def read() -> Sequence[AgencyState]:
        nonlocal asked
        asked += 1
        return await agencies()

    clock = Stopped()
    board = AgencyBoard(clock, read)  # type: ignore[arg-type]  # only monotonic is used
    for _ in range(3):
        assert len(await board.states() or ()) == 3
    assert asked == 1
    clock.seconds += FRESH_SECONDS
    await board.states()
    assert asked == 2


@pytest.mark.parametrize("coding", ["gzip", "identity"])
async def test_what_the_browser_has_is_not_sent_again(app: Starlette, coding: str) -> None:
    asked = {"accept-encoding": coding}
    first = await get(app, "/web/shared/base.css", headers=asked)
    again = await get(app, "/web/shared/base.css", headers={**asked, "if-none-match": first.headers["etag"]})
    assert (first.status, again.status) == (200, 304)
    assert first.headers["cache-control"] == "no-cache"
    assert again.content == b""


async def test_gzip_has_a_validator_of_its_own(app: Starlette) -> None:
    plain = await get(app, "/errors", headers={"accept-encoding": "gzip;q=0"})
    packed = await get(app, "/errors", headers={"accept-encoding": "br, gzip"})
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.content == packed.content
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.sent) < len(plain.sent) / 3


async def test_vendored_files_are_kept_for_ever(app: Starlette) -> None:
    caching = (await get(app, "/web/vendored/react-18.3.1/react.production.min.js")).headers["cache-control"]
    assert "immutable" in caching


@pytest.mark.parametrize(
    "name",
    ["landing/page.html", "graphiql/ready/1-one-person.graphql", "jsconfig.json", "nothing.css",
     "%2e%2e/texts/zh.toml", "..%2f..%2fpyproject.toml", ""],
)  # fmt: skip
async def test_only_listed_files_exist(app: Starlette, name: str) -> None:
    assert (await get(app, f"/web/{name}")).status == 404


async def test_a_session_is_opened_in_a_demo_only_and_kept_nowhere(app: Starlette) -> None:
    assert (await get(app, "/demo/session")).status == 404
    answer = await get(application(demo=True), "/demo/session")
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.json["queries"]) == 3
    assert set(answer.json["purpose"]) == {"agency", "procedure", "case", "officer"}


def test_vendored_files_are_what_was_published_and_have_their_licences() -> None:
    folder = FOLDER / "vendored"
    lines = [line.split("  ") for line in (folder / "SHA256").read_text().splitlines()]
    found = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256"]
    digests = {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in found}
    assert digests == {name: digest for digest, name in lines}
    assert all((path.parent / "LICENSE").exists() for path in found)
