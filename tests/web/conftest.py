"""A real Chromium, and a hub of pages for it to open; skipped with a reason where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.server import application, serving

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module: Playwright holds the thread's event loop, which others need."""
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """The address of a demo's pages."""
    with serving(application(demo=True)) as address:
        yield address


@pytest.fixture(scope="module")
def production() -> Iterator[str]:
    """The address of pages that are no demo's."""
    with serving(application(demo=False)) as address:
        yield address
