"""The pages' stories in a real browser: what people do, and what holds for everyone on every page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from hub.kernel.errors import Code
from tests.web.server import PURPOSE, QUERY, RECEIPT, TOKEN
from tests.web.watching import Scheme, Watched, opened

pytestmark = pytest.mark.browser

BUDGETS = {"/": 12_000, "/errors": 20_000, "/graphiql": 850_000}  # bytes on the wire, all files together
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
NARROW = (390, 640)  # a phone, and a desk of 1280 at 200 %
BEYOND_THE_EDGE = """() => [...document.querySelectorAll('body *')]
  .filter((it) => !it.closest('.graphiql-container, .skip, thead') && it.getClientRects().length)
  .filter((it) => it.getBoundingClientRect().right > innerWidth + 0.5)
  .map((it) => it.outerHTML.slice(0, 80))"""
EXECUTE = ".graphiql-execute-button"


def run_query(page: Page) -> None:
    page.wait_for_selector(EXECUTE)
    expect(page.locator(".graphiql-query-editor .cm-def")).to_have_text("OnePerson")
    page.click(EXECUTE)
    page.wait_for_selector(".sealed")


@contextmanager
def every_state(browser: Browser, demo: str, production: str, state: str, **how: Any) -> Iterator[Watched]:
    """One page in one of its states."""
    base, path, act = STATES[state]
    with opened(browser, (demo if base == "demo" else production) + path, **how) as watched:
        act(watched.page)
        yield watched


def nothing(page: Page) -> None:
    """The page as it opens."""


def search(page: Page) -> None:
    page.fill("#words", "144")


def search_in_vain(page: Page) -> None:
    page.fill("#words", "xyzzy")


def leave_empty(page: Page) -> None:
    page.click("text=打开查询页面")


STATES = {
    "start": ("demo", "/", nothing),
    "start in English": ("demo", "/?lang=en", nothing),
    "errors": ("demo", "/errors#HUB-144", nothing),
    "errors searched": ("demo", "/errors", search),
    "errors not found": ("demo", "/errors", search_in_vain),
    "query answered": ("demo", "/graphiql", run_query),
    "form": ("production", "/graphiql", nothing),
    "form with mistakes": ("production", "/graphiql", leave_empty),
}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(browser: Browser, demo: str, production: str, state: str) -> None:
    with every_state(browser, demo, production, state) as watched:
        for scheme in SCHEMES:
            watched.page.emulate_media(color_scheme=scheme)
            watched.page.wait_for_timeout(200)
            violations = Axe().run(watched.page).response["violations"]
            assert [(found["id"], [node["target"] for node in found["nodes"]]) for found in violations] == []


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_lost_on_a_narrow_page(browser: Browser, demo: str, production: str, state: str) -> None:
    with every_state(browser, demo, production, state) as watched:
        for width in NARROW:
            watched.page.set_viewport_size({"width": width, "height": 800})
            assert watched.page.evaluate(BEYOND_THE_EDGE) == []
            assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", BUDGETS)
def test_pages_stay_within_their_size(browser: Browser, demo: str, path: str) -> None:
    with opened(browser, demo + path) as watched:
        watched.page.wait_for_load_state("networkidle")
        assert 0 < watched.received <= BUDGETS[path]


def test_from_the_start_page_to_a_sealed_answer(browser: Browser, demo: str) -> None:
    with opened(browser, demo) as watched:
        page = watched.page
        page.click("main >> text=试问一次")
        run_query(page)
        expect(page.locator(".graphiql-response")).to_contain_text("王秀英")
        expect(page.locator("#receipt")).to_contain_text("答复已盖章")
        expect(page.locator(".purpose")).to_contain_text(PURPOSE["case"])


def test_three_queries_stand_ready_with_their_variables(browser: Browser, demo: str) -> None:
    with opened(browser, demo + "/graphiql") as watched:
        page = watched.page
        tabs = page.locator(".graphiql-tab-button")
        expect(tabs).to_have_text(["OnePerson", "Again", "OnceMore"])
        for number in range(3):
            tabs.nth(number).click()
            expect(page.locator(".graphiql-editor-tool")).to_contain_text("11010519491231002X")


def test_the_exchange_is_saved_as_it_was(browser: Browser, demo: str, tmp_path: Path) -> None:
    with opened(browser, demo + "/graphiql", accept_downloads=True) as watched:
        run_query(watched.page)
        with watched.page.expect_download() as download:
            watched.page.click("#save")
        download.value.save_as(tmp_path / "exchange.json")
    saved = json.loads((tmp_path / "exchange.json").read_text())
    assert download.value.suggested_filename == "exchange.json"
    assert saved["request"]["query"] == QUERY
    assert saved["request"]["variables"] == {"idNumber": "11010519491231002X"}
    assert saved["response"]["extensions"]["receipt"] == RECEIPT


def test_the_catalogue_is_known_to_the_editor(browser: Browser, demo: str) -> None:
    with opened(browser, demo + "/graphiql") as watched:
        watched.page.wait_for_selector(EXECUTE)
        watched.page.click("[aria-label='Show Documentation Explorer']")
        watched.page.get_by_role("link", name="Query", exact=True).click()
        expect(watched.page.locator(".graphiql-doc-explorer")).to_contain_text("按公民身份号码查一个人")


def test_neither_token_nor_question_is_left_in_the_browser(browser: Browser, demo: str) -> None:
    with opened(browser, demo + "/graphiql") as watched:
        run_query(watched.page)
        watched.page.wait_for_timeout(700)  # GraphiQL stores what it is given after half a second
        kept = watched.page.evaluate(
            "async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, "
            "await indexedDB.databases(), await caches.keys()])"
        )
    assert kept == '[{},{},"",[],[]]'


def test_production_asks_for_token_and_purpose_and_keeps_them_on_the_page(
    browser: Browser, production: str
) -> None:
    with opened(browser, production + "/graphiql") as watched:
        page = watched.page
        page.click("text=打开查询页面")
        expect(page.locator("#token-mistake")).to_have_text("请填写访问令牌")
        expect(page.locator("#token")).to_be_focused()
        for name, value in {"token": TOKEN, **PURPOSE}.items():
            page.fill(f"#{name}", value)
        page.keyboard.press("Enter")
        expect(page.locator(".purpose")).to_contain_text(PURPOSE["case"])
        page.wait_for_selector(EXECUTE)
        page.click("#change")
        expect(page.locator("#agency")).to_have_value(PURPOSE["agency"])


def test_a_field_is_checked_when_it_is_left(browser: Browser, production: str) -> None:
    with opened(browser, production + "/graphiql") as watched:
        watched.page.focus("#case")
        expect(watched.page.locator("#case-mistake")).to_have_text("")
        watched.page.keyboard.press("Tab")
        expect(watched.page.locator("#case-mistake")).to_have_text("请填写办件编号")
        watched.page.fill("#case", "1")
        watched.page.keyboard.press("Tab")
        expect(watched.page.locator("#case-mistake")).to_have_text("")


def test_errors_are_found_by_number_and_by_word(browser: Browser, demo: str) -> None:
    with opened(browser, demo + "/errors?lang=en") as watched:
        page, shown = watched.page, watched.page.locator("article:visible")
        expect(shown).to_have_count(len(Code))
        page.fill("#words", "144")
        expect(shown).to_have_count(1)
        expect(page.locator("#count")).to_have_text("1 found")
        page.fill("#words", "no such thing anywhere")
        expect(page.locator("#count")).to_contain_text("Nothing matches")
        page.fill("#words", "")
        expect(page.locator("#count")).to_have_text(f"{len(Code)} errors")


def test_errors_and_the_start_page_need_no_script(browser: Browser, demo: str) -> None:
    with opened(browser, demo + "/errors", java_script_enabled=False) as watched:
        expect(watched.page.locator("article")).to_have_count(len(Code))
        expect(watched.page.locator("#find")).to_be_hidden()
    with opened(browser, demo, java_script_enabled=False) as watched:
        expect(watched.page.locator("#state")).to_contain_text("HUB-212")


def test_the_language_is_switched_and_kept_from_page_to_page(browser: Browser, demo: str) -> None:
    with opened(browser, demo) as watched:
        page = watched.page
        page.click("text=English")
        expect(page.locator("h1")).to_have_text("No more paper proofs")
        page.click("text=Error numbers")
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.click("text=中文")
        expect(page.locator("h1")).to_have_text("错误编号和下一步")


def test_the_keyboard_alone_asks_a_question(browser: Browser, demo: str) -> None:
    with opened(browser, demo) as watched:
        page = watched.page
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(EXECUTE)
        page.focus(".graphiql-query-editor textarea")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(".sealed")


def test_focus_is_visible_on_everything_that_can_have_it(browser: Browser, production: str) -> None:
    with opened(browser, production + "/errors") as watched:
        for _ in range(6):
            watched.page.keyboard.press("Tab")
            seen = watched.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert seen == "solid"


def test_the_start_page_shows_an_agency_that_comes_back(browser: Browser, demo: str) -> None:
    with opened(browser, demo) as watched:
        page = watched.page
        page.evaluate("document.querySelector('#state').replaceChildren('…')")
        page.clock.install()
        page.reload()
        page.evaluate("document.querySelector('#state').replaceChildren('…')")
        page.clock.run_for(10_500)
        expect(page.locator("#state")).to_contain_text("HUB-212")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_more_contrast_is_given_to_those_who_ask(browser: Browser, demo: str, scheme: Scheme) -> None:
    with opened(browser, demo, scheme=scheme, contrast="more") as watched:
        colours = watched.page.evaluate(
            "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
    black, white = "rgb(0, 0, 0)", "rgb(255, 255, 255)"
    assert colours == ([black, white] if scheme == "light" else [white, black])
