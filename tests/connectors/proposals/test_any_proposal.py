"""Whatever a source calls things, the proposal is TOML, and its manifest right once the gaps are filled."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.proposals.model import Findings
from connectors.proposals.openapi import read_openapi
from connectors.proposals.sheets import read_csv
from connectors.proposals.write import MARK
from tests.connectors.proposals.proposing import accepted, proposal, record

KNOWN = [
    "sfzh",
    "xm",
    "csrq",
    "xb",
    "zt",
    "yxqz",
    "身份证号",
    "姓名",
    "__proto__",
    "_entities",
    "",
    "a.b",
    "状态",
    "金额",
    "type",
]
NAMES = st.one_of(st.sampled_from(KNOWN), st.text(max_size=20))
VALUES = st.one_of(
    st.sampled_from(
        ["11010519491231002X", "20200101", "男", "有效", "1", "0", "3.7E+17", "=1+1", "2020-13-99"]
    ),
    st.text(max_size=20),
)
ORDINARY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def check(found: object) -> None:
    if not isinstance(found, Findings):
        return
    made = proposal(found)
    accepted(made)
    tomllib.loads(made.sheet)
    assert record(made)["kind"] == "evidence"
    assert made.manifest.count(MARK) > 0
    for text in (made.manifest, made.sheet):
        assert all(one.isprintable() for one in text.replace("\n", ""))


@ORDINARY
@given(st.lists(NAMES, min_size=1, max_size=8), st.lists(st.lists(VALUES, max_size=8), max_size=12))
def test_of_any_table(names: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([names, *rows])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sample.csv"
        file.write_bytes(text.getvalue().encode("utf-8", "replace"))
        check(read_csv(file))


PLAIN = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", "integer", "number", "boolean", "null", ["string", "null"]])},
    optional={
        "format": st.sampled_from(["date", "date-time", "int64"]),
        "enum": st.lists(st.one_of(st.text(max_size=8), st.integers()), max_size=5),
        "title": st.text(max_size=12),
        "default": st.text(max_size=8),
    },
)
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    st.one_of(PLAIN, st.just({"$ref": "#/components/schemas/Loop"})),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"properties": st.dictionaries(NAMES, inner, max_size=5)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries(
            {"properties": st.dictionaries(st.sampled_from(["data", "list", "code"]), inner)}
        ),
    ),
    max_leaves=12,
)


@ORDINARY
@given(SCHEMAS, NAMES, st.sampled_from(["path", "query"]), st.text(max_size=20), PLAIN)
def test_of_any_interface(schema: Any, key: str, place: str, title: str, extra: Any) -> None:
    loop = {"properties": {"self": {"$ref": "#/components/schemas/Loop"}, "xm": {"type": "string"}}}
    parameters = [
        {"name": key, "in": place, "required": True, "schema": {"type": "string"}},
        {"name": "X-Extra", "in": "header", "required": True, "schema": extra},
        {"name": "extra", "in": "query", "required": True, "schema": extra},
    ]
    answers = {"200": {"content": {"application/json": {"schema": schema}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": title},
        "servers": [{"url": title}],
        "components": {"schemas": {"Loop": loop}},
        "paths": {f"/p/{{{key}}}": {"get": {"parameters": parameters, "responses": answers}}},
    }
    check(read_openapi(json.dumps(document).encode(), f"GET /p/{{{key}}}"))
