"""A slice's SQL: the named statements of the queries.sql beside its code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

HEADING = re.compile(r"^-- name: *([a-z][a-z0-9_]*) *$", re.MULTILINE)


def load_statements(package: str) -> Mapping[str, str]:
    """The statements of ``queries.sql`` in a package, by the name in their ``-- name: insert_entry`` heading.

    Raises ValueError when a name stands twice or a statement is empty.
    """
    return parse_statements(files(package).joinpath("queries.sql").read_text(encoding="utf-8"))


def parse_statements(text: str) -> Mapping[str, str]:
    """Cut the text of a queries.sql at its headings; what stands before the first one is a comment."""
    _, *parts = HEADING.split(text)
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        statement = body.strip().removesuffix(";").rstrip()
        if not statement or name in statements:
            raise ValueError(f"the statement {name} is empty or stands twice")
        statements[name] = statement
    return MappingProxyType(statements)
