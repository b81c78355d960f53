"""Reads one ``[[offerings]]``: what is supplied, how it is asked for, its fields and its outcomes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.contract import Offering, Tell
from connectors.manifest.cursor import Cursor
from connectors.manifest.durations import read_duration
from connectors.manifest.fields import read_date, read_fields, read_optional_path, read_path
from connectors.manifest.files import check_columns
from connectors.manifest.forms import forms_of
from connectors.manifest.model import (
    AsOf,
    FileSource,
    Kind,
    Meaning,
    Offered,
    OutcomeRule,
    RestSource,
    Rows,
)
from connectors.manifest.sources import NAME, read_source, tells_in_body
from connectors.manifest.templates import Setting
from connectors.mapping import FieldRule

CODE = r"[a-z][a-z0-9_]{0,63}"
A_CODE = "a name in lower_snake"
BATCH_HIGHEST = 1000
STATUS_LOWEST, STATUS_HIGHEST = 100, 599


def read_offering(cursor: Cursor, kind: Kind, tell: Tell) -> tuple[Offered, bool]:
    """The offering, and whether it may be asked again when it failed."""
    setting = Setting(
        cursor.whole("batch", 1, BATCH_HIGHEST, BATCH_HIGHEST if kind is Kind.FILES else 1), tell
    )
    repeatable = kind is not Kind.REST or _is_safe(cursor)
    source, rows = read_source(cursor, kind, setting)
    key = cursor.text("key", A_CODE, CODE)
    fields_table = cursor.optional_table("fields")
    fields = read_fields(fields_table, key) if fields_table is not None else {}
    outcomes = tuple(_read_outcome(one, kind) for one in cursor.tables("outcomes"))
    offered = Offered(
        Offering(
            cursor.text("name", A_CODE, CODE),
            cursor.text("record", A_CODE, CODE),
            key,
            (key, *fields),
            cursor.flag("many", default=False),
            setting.batch,
            tell,
            read_duration(cursor, "freshness"),
            *forms_of(key, fields),
        ),
        source,
        rows,
        fields,
        outcomes,
        cursor.choice("absent", ("missing", "declared"), "declared") == "missing",
        _read_as_of(cursor, kind),
        tells_in_body(source),
    )
    _check(cursor, kind, offered)
    _check_paths(fields_table or cursor, kind, fields)
    if isinstance(source, FileSource):
        check_columns(fields_table or cursor, source, fields)
    cursor.finish()
    return offered, repeatable


def _is_safe(cursor: Cursor) -> bool:
    request = cursor.take("request")
    return isinstance(request, dict) and (
        request.get("method", "GET") == "GET" or request.get("safe") is True
    )


def _read_as_of(parent: Cursor, kind: Kind) -> AsOf | None:
    cursor = parent.optional_table("as_of")
    if cursor is None:
        return None
    as_of = AsOf(read_path(cursor, "path"), read_date(cursor), cursor.flag("row", default=False))
    if kind is Kind.FILES:
        cursor.mistake("", "nothing: a file is as old as its control file says, or its time on the disk")
    if kind is Kind.SQL and not as_of.row:
        cursor.mistake("row", "true: a view has no place beside its rows")
    cursor.finish()
    return as_of


def _read_outcome(cursor: Cursor, kind: Kind) -> OutcomeRule:
    rule = OutcomeRule(
        Meaning(cursor.choice("outcome", tuple(Meaning))),
        _read_status(cursor),
        cursor.optional_text("code"),
        read_optional_path(cursor, "path"),
        cursor.optional_text("equals"),
        cursor.flag("present", default=True) if cursor.has("present") else None,
        cursor.flag("row", default=False),
    )
    if (rule.path is None) == (rule.equals is not None or rule.present is not None):
        cursor.mistake("", "path together with either equals or present")
    if rule.equals is not None and rule.present is not None:
        cursor.mistake("", "either equals or present, not both")
    _check_conditions(cursor, kind, rule)
    cursor.finish()
    return rule


def _check_conditions(cursor: Cursor, kind: Kind, rule: OutcomeRule) -> None:
    if rule.row and (rule.path is None or rule.status is not None or rule.code is not None):
        cursor.mistake("", "with row = true a path, and neither status nor code")
    if not rule.row and kind is Kind.SQL:
        cursor.mistake("row", "true: the states of PostgreSQL are known already")
    if kind is Kind.FILES:
        _check_row_of_file(cursor, rule)
    if not rule.row and kind is Kind.REST and rule.status is None and rule.path is None:
        cursor.mistake("", "a status, a path, or both")
    if rule.code is not None and kind is not Kind.GRAPHQL:
        cursor.mistake("code", "nothing: only GraphQL's errors have it; use path")
    if not rule.row and kind is Kind.GRAPHQL:
        _check_error(cursor, rule)


def _check_row_of_file(cursor: Cursor, rule: OutcomeRule) -> None:
    if not rule.row:
        cursor.mistake("row", "true: a file has nothing beside its rows")
    if rule.meaning not in (Meaning.FOUND, Meaning.ABSENT, Meaning.REFUSED):
        cursor.mistake("outcome", "one of found, absent, refused: nobody is asked, so nothing can fail")


def _check_error(cursor: Cursor, rule: OutcomeRule) -> None:
    if rule.code is None or rule.status is not None or rule.path is not None:
        cursor.mistake("code", "the extensions.code of an error, and neither status nor path")
    if rule.meaning is Meaning.FOUND:
        cursor.mistake("outcome", "not found: an error is no answer")


def _read_status(cursor: Cursor) -> int | None:
    if not cursor.has("status"):
        return None
    return cursor.whole("status", STATUS_LOWEST, STATUS_HIGHEST)


def _check(cursor: Cursor, kind: Kind, offered: Offered) -> None:
    if isinstance(offered.source, RestSource) and not _has_found(offered):
        cursor.mistake("outcomes", 'at least one outcome = "found"')
    if kind is Kind.GRAPHQL:
        _check_names(cursor, offered.rows)


def _has_found(offered: Offered) -> bool:
    return any(rule.meaning is Meaning.FOUND and not rule.row for rule in offered.outcomes)


def _check_paths(cursor: Cursor, kind: Kind, fields: Mapping[str, FieldRule]) -> None:
    for name, rule in fields.items():
        for path in rule.sources():
            if kind is Kind.SQL and len(path) > 1:
                cursor.mistake(name, "one column; look into a JSON column with json = …")
            if kind is Kind.GRAPHQL and not all(re.fullmatch(NAME, step) for step in path):
                cursor.mistake(name, "GraphQL names parted by dots")


def _check_names(cursor: Cursor, rows: Rows) -> None:
    for path in (rows.key, rows.items):
        if path is not None and not all(re.fullmatch(NAME, step) for step in path):
            cursor.mistake("", "GraphQL names in key and items")
