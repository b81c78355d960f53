"""The pages look as they did when someone looked at them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.golden import compare, require_font
from tests.web.watching import Scheme, opened

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parent / "golden"


def ask(page: Page) -> None:
    """Runs the query that stands there, and leaves the editor so that no caret blinks."""
    expect(page.locator(".graphiql-query-editor .cm-atom")).to_have_text("ResidentIdNumber")
    page.click(".graphiql-execute-button")
    page.wait_for_selector(".sealed")
    expect(page.locator(".graphiql-response")).to_contain_text("receiptSalt")
    page.mouse.move(1, 1)
    page.evaluate("document.activeElement.blur()")


PICTURES: dict[str, tuple[str, str, Scheme, int]] = {
    "start": ("demo", "/", "light", 1280),
    "start-dark": ("demo", "/?lang=en", "dark", 1280),
    "start-narrow": ("demo", "/", "light", 390),
    "errors": ("demo", "/errors", "light", 1280),
    "query": ("demo", "/graphiql", "light", 1280),
    "query-dark": ("demo", "/graphiql?lang=en", "dark", 1280),
    "query-narrow": ("demo", "/graphiql", "light", 390),
    "form": ("production", "/graphiql", "light", 1280),
}


@pytest.mark.parametrize("name", PICTURES)
def test_it_looks_as_it_did(browser: Browser, demo: str, production: str, name: str) -> None:
    require_font()
    base, path, scheme, width = PICTURES[name]
    blank = browser.new_page()
    with opened(
        browser, (demo if base == "demo" else production) + path, scheme=scheme, width=width
    ) as watched:
        if name.startswith("query"):
            ask(watched.page)
        compare(watched.page, FOLDER / f"{name}.png", blank)
    blank.close()
