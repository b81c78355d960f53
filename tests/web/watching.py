"""Opens a page and keeps account of what it did that it must not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page

Scheme = Literal["light", "dark"]


@dataclass
class Watched:
    """A page, the hosts it asked, the bytes it received and what its console said."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)
    received: int = 0


@contextmanager
def opened(
    browser: Browser, address: str, *, scheme: Scheme = "light", width: int = 1280, height: int = 900,
    **more: Any,
) -> Iterator[Watched]:  # fmt: skip
    """The page at an address; at the end its console must have been silent and its requests local."""
    size: Any = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, **more)
    watched = Watched(context.new_page())
    watched.page.on("request", lambda request: watched.hosts.add(urlsplit(request.url).netloc))
    watched.page.on("console", lambda message: watched.said.append(f"{message.type}: {message.text[:200]}"))
    watched.page.on("pageerror", lambda error: watched.said.append(f"error: {error}"))
    watched.page.on("requestfinished", lambda request: _count(watched, request))
    watched.page.goto(address)
    yield watched
    context.close()
    assert watched.hosts <= {urlsplit(address).netloc, ""}
    assert watched.said == []


def _count(watched: Watched, request: Any) -> None:
    watched.received += request.sizes()["responseBodySize"]
