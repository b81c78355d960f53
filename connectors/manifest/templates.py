"""Checks the placeholders of a declared call: which there are, and where each may stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.contract import Tell

PURPOSE = ("client", "agency", "procedure", "case", "actor")
KEY = "$key"
KEYS = "$keys"
EACH = "$each"
CORRELATION = "$correlation"
PAGE = "$page"
CURSOR = "$cursor"
TOLD = tuple(f"${part}" for part in PURPOSE)


@dataclass(frozen=True, slots=True)
class Setting:
    """What decides where a placeholder may stand: keys a call, how the purpose is told, and ``page``.

    That is the placeholder by which pages are asked for, if there are any.
    """

    batch: int
    tell: Tell
    page: str | None = None


def placeholders(body: object, *, inside_each: bool = False) -> Iterable[tuple[str, bool]]:
    """Every placeholder of a body, with whether it stands inside ``$each``."""
    if isinstance(body, str) and body.startswith("$"):
        yield body, inside_each
    elif isinstance(body, dict):
        for value in body.values():
            yield from placeholders(value, inside_each=inside_each)
    elif isinstance(body, list):
        repeated = len(body) == 2 and body[0] == EACH
        for value in body[1:] if repeated else body:
            yield from placeholders(value, inside_each=inside_each or repeated)


def objection(placeholder: str, setting: Setting, *, inside_each: bool) -> str | None:
    """Why a placeholder cannot stand where it does; None when it can."""
    if placeholder == KEY and setting.batch > 1 and not inside_each:
        return "$key only where batch = 1, or inside $each"
    if placeholder in TOLD and setting.tell is Tell.NONE:
        return 'no part of the purpose, since tell = "none"'
    if placeholder in TOLD and setting.tell is Tell.PER_KEY and setting.batch > 1 and not inside_each:
        return "parts of the purpose inside $each, since they differ by key"
    if placeholder in (PAGE, CURSOR) and placeholder != setting.page:
        return "$page only beside response.paging.pages, $cursor beside response.paging.cursor"
    if placeholder not in (KEY, KEYS, CORRELATION, PAGE, CURSOR, *TOLD):
        return "one of the placeholders $key $keys $correlation " + " ".join(TOLD) + ", or [$each, …]"
    return None


def can_be_sent(body: object) -> bool:
    """Whether a body is made of tables, lists, texts, whole numbers and booleans only."""
    if isinstance(body, dict):
        return all(map(can_be_sent, body.values()))
    if isinstance(body, list):
        return all(map(can_be_sent, body))
    return isinstance(body, str) or (isinstance(body, int) and abs(body) < 2**53)
