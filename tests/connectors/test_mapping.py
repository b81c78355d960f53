"""The mapping language: each form, and that a compiled mapping is total."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dates import CHINA, DateForm, compile_instant, format_can_be_partial, format_is_known
from connectors.documents import Format
from connectors.mapping import (
    Boolean,
    Codes,
    Constant,
    FieldRule,
    Form,
    Mask,
    Misfit,
    Money,
    Number,
    Text,
    Texts,
    Unpack,
    compile_row,
)

MISFIT = object()


def read(form: Form, value: Any, unpack: Unpack | None = None) -> Any:
    """What the mapping makes of a value; MISFIT when it does not fit."""
    rule = FieldRule(("v",), form, unpack)
    row = compile_row({"field": rule}, ("field",), "key")({"v": value, "bz": "156"}, "K")
    return MISFIT if isinstance(row, Misfit) else row[0]


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        (Text(), " 张三\u3000", "张三"),
        (Text(), "", None),
        (Text(), "  ", None),
        (Text(), None, None),
        (Text(), 5, MISFIT),
        (Text(), {"a": 1}, MISFIT),
        (Text(), "\ud800", MISFIT),
        (Boolean(), True, True),
        (Boolean(), "1", MISFIT),
        (Codes({"1": "M", "2": "F"}), "2", "F"),
        (Codes({"1": "M", "2": "F"}), 2, "F"),
        (Codes({"1": "M", "2": "F"}), "3", MISFIT),
        (Codes({"0": False, "1": True}), "0", False),
        (Codes({"true": "yes"}), True, "yes"),
        pytest.param(Codes({"1": "M"}), 10**9000, MISFIT, id="a number of 9001 digits"),
        (DateForm("YYYYMMDD"), "19491231", "1949-12-31"),
        (DateForm("YYYYMMDD"), 19491231, "1949-12-31"),
        (DateForm("YYYYMMDD"), "19490230", MISFIT),
        (DateForm("YYYYMMDD"), "19490000", MISFIT),
        (DateForm("YYYYMMDD"), "1949-12-31", MISFIT),
        (DateForm("YYYYMMDD"), "\u0661\u0669\u0664\u0669\u0661\u0662\u0663\u0661", MISFIT),
        (DateForm("YYYYMMDD", partial=True), "19490000", "1949"),
        (DateForm("YYYYMMDD", partial=True), "19491200", "1949-12"),
        (DateForm("YYYYMMDD", partial=True), "1949", "1949"),
        (DateForm("YYYYMMDD", partial=True), "194912", "1949-12"),
        (DateForm("YYYYMMDD", partial=True), "19490031", MISFIT),
        (DateForm("YYYYMMDD", partial=True), "00000000", None),
        (DateForm("YYYYMMDD", partial=True), "19491331", MISFIT),
        (DateForm("YYYY年M月D日", partial=True), "1949年3月", "1949-03"),
        (DateForm("YYYY年M月D日", partial=True), "1949年", "1949"),
        (DateForm("YYYY年M月D日"), "1949年3月9日", "1949-03-09"),
        (DateForm("iso", partial=True), "1949-03", "1949-03"),
        (DateForm("iso"), "2026-01-31T20:00:00Z", "2026-02-01"),
        (DateForm("iso"), "2026-01-31", "2026-01-31"),
        (DateForm("iso"), "soon", MISFIT),
        (DateForm("iso"), "0001-01-01T00:00:00+14:00", MISFIT),
        (DateForm("unix_ms"), 1769875200000, "2026-02-01"),
        (DateForm("unix"), "1769875200", "2026-02-01"),
        (DateForm("unix"), 10**40, MISFIT),
        (DateForm("unix"), True, MISFIT),
        (DateForm("YYYY-MM-DD hh:mm:ss"), "2026-02-01 23:59:59", "2026-02-01"),
        (Number(), "1,000", MISFIT),
        (Number(), Decimal("12.50"), "12.50"),
        (Number(), 12, "12"),
        (Number(), "-0", "0"),
        (Number(), 0.1, "0.1"),
        (Number(), float("nan"), MISFIT),
        (Number(), Decimal("1e400"), MISFIT),
        (Number(), True, MISFIT),
        (Number(10_000), "50.5", "505000.0"),
        (Money("CNY"), "100.00", "100.00 CNY"),
        (Money("CNY", times=10_000), Decimal(3000), "30000000 CNY"),
        (Money(None, ("bz",), {"156": "CNY"}), 7, "7 CNY"),
        (Money(None, ("bz",), {"840": "USD"}), 7, MISFIT),
        (Money(None, ("nowhere",), {"840": "USD"}), None, None),
        (Texts(), ["a", " b "], ("a", "b")),
        (Texts(), "a", ("a",)),
        (Texts(), ["a", 1], MISFIT),
        (Texts(","), "a,b,,c", ("a", "b", "c")),
        (Texts(None, ("n",)), [{"n": "a"}, {"n": None}], ("a",)),
        (Mask(3, 4), "13812345678", "138****5678"),
        (Mask(3, 4), "1381234", "*******"),
        (Mask(0, 0), "ab", "**"),
        (Constant("x"), 5, "x"),
    ],
)
def test_each_form(form: Form, value: Any, expected: Any) -> None:
    assert read(form, value) == expected


@pytest.mark.parametrize(
    ("unpack", "form", "value", "expected"),
    [
        (Unpack(Format.JSON, ("a", "b")), Text(), '{"a":{"b":"x"}}', "x"),
        (Unpack(Format.JSON, ("a", "1")), Text(), '{"a":["x","y"]}', "y"),
        (Unpack(Format.JSON, ("a", "7")), Text(), '{"a":["x","y"]}', None),
        (Unpack(Format.JSON, ("a",)), Money("CNY"), '{"a":12345678901234567.89}', "12345678901234567.89 CNY"),
        (Unpack(Format.JSON, ("a",)), Money(None, ("c",)), '{"a":1,"c":"CNY"}', "1 CNY"),
        (Unpack(Format.JSON, ("a",)), Text(), "{", MISFIT),
        (Unpack(Format.JSON, ("a",)), Text(), "[" * 100_000, MISFIT),
        (Unpack(Format.JSON, ("a",)), Text(), None, None),
        (Unpack(Format.XML, ("R", "D")), DateForm("YYYYMMDD"), "<R><D>19491231</D></R>", "1949-12-31"),
        (Unpack(Format.XML, ("R", "@d")), Text(), '<n:R xmlns:n="u" d="x"/>', "x"),
        (Unpack(Format.XML, ("R", "D")), Texts(), "<R><D>a</D><D>b</D></R>", ("a", "b")),
        (Unpack(Format.XML, ("R",)), Text(), '<!DOCTYPE R [<!ENTITY e "x">]><R>&e;</R>', MISFIT),
        (Unpack(Format.XML, ("R",)), Text(), '<!DOCTYPE R SYSTEM "file:///etc/passwd"><R/>', MISFIT),
        (Unpack(Format.XML, ("R",)), Text(), "<a>" * 100 + "</a>" * 100, MISFIT),
    ],
)
def test_documents_inside_a_text(unpack: Unpack, form: Form, value: Any, expected: Any) -> None:
    assert (
        read(form, value, unpack) == expected
        if expected is not MISFIT
        else read(form, value, unpack) is MISFIT
    )


def test_the_key_is_filled_in_and_the_misfit_named() -> None:
    rules = {"name": FieldRule(("xm",), Text()), "born": FieldRule(("csrq",), DateForm("YYYYMMDD"))}
    reader = compile_row(rules, ("born", "id", "name"), "id")
    assert reader({"xm": "张三", "csrq": "19491231"}, "K") == ("1949-12-31", "K", "张三")
    assert reader({"xm": 1, "csrq": "19491231"}, "K") == Misfit("name")
    assert reader("no row", "K") == Misfit("born")


def test_what_must_be_asked_for() -> None:
    assert FieldRule(("a", "b"), Text()).sources() == (("a", "b"),)
    assert FieldRule((), Constant("x")).sources() == ()
    assert FieldRule(("a",), Money(None, ("c",))).sources() == (("a",), ("c",))
    assert FieldRule(("a",), Texts(None, ("n",))).sources() == (("a", "n"),)
    assert FieldRule(("a",), Texts(None, ("n",)), Unpack(Format.JSON, ())).sources() == (("a",),)


PATHS = st.lists(st.sampled_from(["a", "b", "0", "1", "@x"]), max_size=3).map(tuple)
FORMATS = ["iso", "unix", "unix_ms", "YYYYMMDD", "YYYY-MM-DD", "YYYY年M月D日", "YYYYMMDDhhmmss"]
DATES = st.builds(
    lambda text, partial: DateForm(text, partial and format_can_be_partial(text)),
    st.sampled_from(FORMATS),
    st.booleans(),
)
FORMS = st.one_of(
    st.just(Text()),
    st.just(Boolean()),
    st.builds(Codes, st.dictionaries(st.text(max_size=3), st.text(min_size=1) | st.booleans(), max_size=3)),
    DATES,
    st.builds(Number, st.integers(1, 10**8)),
    st.builds(Money, st.just("CNY"), times=st.integers(1, 10**8)),
    st.builds(Money, st.none(), PATHS),
    st.builds(Texts, st.none() | st.just(","), PATHS),
    st.builds(Mask, st.integers(0, 5), st.integers(0, 5)),
    st.builds(Constant, st.text(min_size=1) | st.booleans()),
)
RULES = st.builds(FieldRule, PATHS, FORMS, st.none() | st.builds(Unpack, st.sampled_from(Format), PATHS))
DIGITS = st.text("0123456789-年月日:. TZ+", max_size=20)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    DIGITS,
    st.binary(max_size=4),
    st.dates(),
    st.sampled_from(["{}", '{"a":[1]}', "<a>1</a>", "<a", "[[[", "\ud800"]),
)
ROWS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "@x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def is_a_value(value: object) -> bool:
    if isinstance(value, str):
        return value.encode() is not None
    return (
        value is None or isinstance(value, bool) or (isinstance(value, tuple) and all(map(is_a_value, value)))
    )


@given(rule=RULES, row=ROWS)
def test_total(rule: FieldRule, row: Any) -> None:
    result = compile_row({"f": rule}, ("f", "k"), "k")(row, "K")
    if isinstance(result, Misfit):
        assert result.field == "f"
    else:
        assert len(result) == 2
        assert is_a_value(result[0])


@given(st.dates(min_value=date(1, 1, 1)), st.sampled_from(["iso", "YYYYMMDD", "YYYY-MM-DD", "YYYY年M月D日"]))
def test_every_date_is_read_back(day: date, text: str) -> None:
    written = {
        "iso": day.isoformat(),
        "YYYYMMDD": f"{day.year:04}{day.month:02}{day.day:02}",
        "YYYY-MM-DD": day.isoformat(),
        "YYYY年M月D日": f"{day.year:04}年{day.month}月{day.day}日",
    }[text]
    for partial in (False, True):
        assert read(DateForm(text, partial), written) == day.isoformat()


@given(st.decimals(min_value=-(10**20), max_value=10**20, places=2))
def test_amounts_keep_every_digit(amount: Decimal) -> None:
    assert Decimal(read(Number(10_000), str(amount))) == amount * 10_000


def test_instants() -> None:
    assert compile_instant(DateForm("YYYYMMDDhhmmss"))("20260201080000") == datetime(2026, 2, 1, tzinfo=UTC)
    assert compile_instant(DateForm("iso", zone=CHINA))("2026-02-01T08:00:00") == datetime(
        2026, 2, 1, tzinfo=UTC
    )
    assert compile_instant(DateForm("iso"))(None) is None


@pytest.mark.parametrize(
    ("text", "known", "partial"),
    [
        ("YYYYMMDD", True, True),
        ("MMDD", False, False),
        ("YYYYYYYY", False, False),
        ("YYYYMMM", False, False),
        ("iso", True, True),
        ("unix", True, False),
        ("DD/MM/YYYY", True, False),
        ("YYYY-MM-DD hh:mm:ss", True, False),
    ],
)
def test_formats(text: str, known: bool, partial: bool) -> None:
    assert format_is_known(text) is known
    assert format_can_be_partial(text) is partial
