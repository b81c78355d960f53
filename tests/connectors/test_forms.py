"""Each column says what values it can have, and no value of another kind gets past."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.contract import Form, Offering, Tell
from connectors.forms import compile_check, compile_rows_check
from tests.connectors import samples

REST = samples.rest("https://data.example.cn:8443/api")
NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("written", "form", "codes"),
    [
        ('"xm"', Form.TEXT, NOTHING),
        ('{ path = "xm", json = "a.b" }', Form.TEXT, NOTHING),
        ('{ path = "xm", mask = { first = 1 } }', Form.TEXT, NOTHING),
        ('{ path = "d", date = "iso" }', Form.DATE, NOTHING),
        ('{ path = "d", json = "a", date = "YYYYMMDD" }', Form.DATE, NOTHING),
        ('{ path = "d", date = "iso", partial = true }', Form.PARTIAL_DATE, NOTHING),
        ('{ path = "d", number = true }', Form.NUMBER, NOTHING),
        ('{ path = "d", money = "CNY" }', Form.MONEY, NOTHING),
        ('{ path = "d", currency = { path = "c" } }', Form.MONEY, NOTHING),
        ('{ path = "d", boolean = true }', Form.BOOLEAN, NOTHING),
        ('{ path = "d", codes = { "0" = false, "1" = true } }', Form.BOOLEAN, NOTHING),
        ('{ path = "d", codes = { "0" = "A", "1" = "B", "2" = "A" } }', Form.CODE, frozenset("AB")),
        ('{ path = "d", texts = "、" }', Form.TEXTS, NOTHING),
        ('{ constant = "111" }', Form.CODE, frozenset({"111"})),
        ("{ constant = true }", Form.BOOLEAN, NOTHING),
    ],
)
def test_what_a_manifest_says_of_a_column(written: str, form: Form, codes: frozenset[str]) -> None:
    text = REST.replace('name = "xm"', f"name = {written}")
    (offered,) = samples.manifest(text).offerings
    assert offered.offering.forms["name"] is form
    assert offered.offering.codes.get("name", NOTHING) == codes
    assert offered.offering.forms["id_number"] is Form.TEXT, "the key"
    assert set(offered.offering.forms) == set(offered.offering.columns)


ONE = Offering("o", "r", "id", ("id", "x"), False, 1, Tell.NONE, timedelta(), {"id": Form.TEXT})
TEXTUAL = (Form.TEXT, Form.DATE, Form.PARTIAL_DATE, Form.MONEY, Form.NUMBER)


@pytest.mark.parametrize(
    ("forms", "right", "wrong"),
    [
        (TEXTUAL, ["x", "", "x" * 100_000], [True, ("x",), 5, 0.5, ["x"], "x" * 100_001]),
        ((Form.BOOLEAN,), [True, False], ["true", 0, 1, ()]),
        ((Form.TEXTS,), [(), ("x", "y")], ["x", ["x"], ("x", 5), ("x" * 100_001,), ("x",) * 10_001]),
        ((Form.CODE,), ["A"], ["B", "", True, ("A",), ["A"]]),
    ],
)
def test_values(forms: tuple[Form, ...], right: list[object], wrong: list[object]) -> None:
    for form in forms:
        allows = compile_check(replace(ONE, forms={"x": form}, codes={"x": frozenset({"A"})}), "x")
        assert allows(None)
        assert all(map(allows, right))
        assert not any(map(allows, wrong))


def test_a_column_that_is_not_described_has_no_values() -> None:
    assert not compile_check(ONE, "x")("text")
    assert not compile_check(replace(ONE, forms={"x": Form.CODE}), "x")("A")
    assert compile_check(ONE, "x")(None)


VALUES = st.sampled_from(
    [
        None,
        "A",
        "B",
        "",
        "x" * 100_000,
        "x" * 100_001,
        True,
        5,
        0.5,
        (),
        ("x",),
        (5,),
        ["x"],
        ("x" * 100_001,),
    ]
)
FORMS = st.none() | st.sampled_from(Form)


@given(
    st.tuples(FORMS, FORMS),
    st.lists(st.tuples(st.sampled_from("KL"), VALUES, VALUES), min_size=1, max_size=3),
)
@example((Form.CODE, Form.TEXT), [("K", ["A"], "A")]).via("a code that cannot be looked up")
def test_many_rows_are_allowed_just_when_each_value_is(
    forms: tuple[Form | None, Form | None], rows: list[tuple[Any, ...]]
) -> None:
    columns = ("id", "x", "y")
    described = {"id": Form.TEXT, **{name: form for name, form in zip("xy", forms, strict=True) if form}}
    offering = replace(
        ONE, columns=columns, forms=described, codes={"x": frozenset("A"), "y": frozenset("AB")}
    )
    checks = [compile_check(offering, column) for column in columns]
    each = all(allows(value) for row in rows for allows, value in zip(checks, row, strict=True))
    made = tuple(zip(*rows, strict=True))
    assert compile_rows_check(offering, columns)(made, made[0]) is each
    assert not compile_rows_check(offering, columns)(made, ("M", *made[0][1:]))
    assert compile_rows_check(offering, columns[1:])(made[1:], ()) is each
