"""A slice's queries.sql is cut at its headings."""

from __future__ import annotations

import pytest

from hub.kernel.db.statements import load_statements, parse_statements


def test_statements_are_found_by_name() -> None:
    text = "-- about\n-- name: first_one\nselect 1;\n\n-- name: second\n-- why\nselect\n  2\n"
    assert dict(parse_statements(text)) == {"first_one": "select 1", "second": "-- why\nselect\n  2"}


@pytest.mark.parametrize("text", ["-- name: a\n\n", "-- name: a\nselect 1\n-- name: a\nselect 2\n"])
def test_empty_and_doubled_statements_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a is empty or stands twice"):
        parse_statements(text)


def test_a_package_without_queries_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        load_statements("hub.subjects")
