"""Writes texts, keys and inline tables as TOML, whatever characters they hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

BARE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def quoted(text: str) -> str:
    """A basic string (TOML 1.0); what an editor would not show is written as an escape."""
    return "".join(
        one if one.isprintable() else _escape(ord(one)) for one in json.dumps(text, ensure_ascii=False)
    )


def key(text: str) -> str:
    """A key, quoted where it must be."""
    return text if BARE.fullmatch(text) else quoted(text)


def inline(table: Mapping[str, str]) -> str:
    """An inline table of values that are TOML already."""
    if not table:
        return "{}"
    return "{ " + ", ".join(f"{key(name)} = {value}" for name, value in table.items()) + " }"


def listed(values: Iterable[str]) -> str:
    """A list of texts."""
    return "[" + ", ".join(map(quoted, values)) + "]"


def value(tree: object) -> str:
    """Tables, lists, texts, whole numbers and booleans as one line; anything else as its text."""
    if isinstance(tree, dict):
        return inline({str(name): value(inner) for name, inner in tree.items()})
    if isinstance(tree, list):
        return "[" + ", ".join(map(value, tree)) + "]"
    if isinstance(tree, bool):
        return "true" if tree else "false"
    return str(tree) if isinstance(tree, int) else quoted(str(tree))


def _escape(code: int) -> str:
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"
