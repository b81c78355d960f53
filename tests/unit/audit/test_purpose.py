"""When a stated purpose is whole and well formed, and what is said when it is not."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from hub.audit.model import Actor, ActorKind, AgencyCode, ClientId, Known, Purpose
from hub.audit.rules import names_a_person, stated_purpose
from hub.kernel.errors import Code, Problem
from hub.subjects.rules import resident_id

AGENCY = AgencyCode("11370300004221110X")
CASE = "淄审批〔2026〕12号"
NUMBER = "11010519491231002X"
WHOLE = {
    "agency": AGENCY,
    "procedure": "drug-retail",
    "case": CASE,
    "actor": {"kind": "officer", "account": "zhang.san"},
}
HEADERS = {
    "Hub-Agency": AGENCY,
    "Hub-Procedure": "drug-retail",
    "Hub-Case": quote(CASE),
    "Hub-Officer": "zhang.san",
}


def in_digits_from(zero: int) -> str:
    """The number in another script's digits."""
    return NUMBER.translate({ord(str(digit)): zero + digit for digit in range(10)})


def stated(extension: object = None, headers: dict[str, str] | None = None) -> Purpose | Problem:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return stated_purpose(extension, raw, ClientId("window"), frozenset({AGENCY}), resident_id)


def problem(found: Purpose | Problem) -> tuple[Code, str | None]:
    assert isinstance(found, Problem)
    return found.code, found.detail.get("part")


def test_the_extension_and_the_headers_say_the_same() -> None:
    purpose = stated(WHOLE)
    assert purpose == stated(None, HEADERS)
    assert isinstance(purpose, Purpose)
    assert (purpose.client, purpose.agency, purpose.case) == ("window", AGENCY, CASE)
    assert purpose.actor == Actor(ActorKind.OFFICER, "zhang.san")


def test_how_each_part_is_known() -> None:
    purpose = stated(WHOLE)
    assert isinstance(purpose, Purpose)
    assert dict(purpose.known) == {
        "client": Known.VERIFIED,
        "agency": Known.ASSERTED,
        "procedure": Known.DECLARED,
        "case": Known.DECLARED,
        "actor": Known.DECLARED,
    }


@pytest.mark.parametrize("kind", list(ActorKind))
def test_every_kind_of_actor_in_every_way(kind: ActorKind) -> None:
    plain = {part: text for part, text in WHOLE.items() if part != "actor"}
    headers = {name: value for name, value in HEADERS.items() if name != "Hub-Officer"}
    wanted = Actor(kind, "k-1")
    for purpose in (
        stated(plain | {"actor": {"kind": kind.value, "account": "k-1"}}),
        stated(plain | {kind.value: "k-1"}),
        stated(None, headers | {f"Hub-{kind.value.title()}": "k-1"}),
    ):
        assert isinstance(purpose, Purpose)
        assert purpose.actor == wanted


@pytest.mark.parametrize("part", ["agency", "procedure", "case", "actor"])
@pytest.mark.parametrize("empty", [True, False])
def test_a_missing_part_is_named(part: str, empty: bool) -> None:
    extension = {name: value for name, value in WHOLE.items() if name != part}
    headers = dict(HEADERS)
    header = {"actor": "Hub-Officer"}.get(part, f"Hub-{part.title()}")
    headers.pop(header)
    if empty:
        extension[part] = {"kind": "officer"} if part == "actor" else ""
        headers[header] = ""
    assert problem(stated(extension)) == (Code.PURPOSE_MISSING, part)
    assert problem(stated(None, headers)) == (Code.PURPOSE_MISSING, part)


def test_nothing_at_all_names_every_part() -> None:
    everything = (Code.PURPOSE_MISSING, "agency, procedure, case, actor")
    assert problem(stated()) == everything
    assert problem(stated({})) == everything
    assert problem(stated(None, {"Authorization": "Bearer x"})) == everything


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"case": 12}, "case"),
        ({"case": None}, "case"),
        ({"case": "x" * 201}, "case"),
        ({"case": "a\nb"}, "case"),
        ({"case": "a\x00b"}, "case"),
        ({"case": "a\u202eb"}, "case"),
        ({"case": "a\u2028b"}, "case"),
        ({"case": "a\ud800b"}, "case"),
        ({"case": " 12"}, "case"),
        ({"case": "   "}, "case"),
        ({"case": f"办{NUMBER}件"}, "case"),
        ({"case": f"办{NUMBER.lower()}"}, "case"),
        ({"case": f"2026{NUMBER}01"}, "case"),
        ({"case": in_digits_from(0xFF10)}, "case"),
        ({"case": in_digits_from(0x0660)}, "case"),
        ({"case": in_digits_from(0x1D7CE)}, "case"),
        ({"case": "370323-19811213-5921"}, "case"),
        ({"case": "办 370323 1981 1213 5921 件"}, "case"),
        ({"case": "3.7.0/3_2:3·1—9〔8〕1121，35921"}, "case"),
        ({"case": "三七〇三二三一九八一一二一三五九二一"}, "case"),
        ({"case": "⑪0⑩5⑲49⑫3⑩02X"}, "case"),  # two digits in one character
        ({"actor": {"kind": "officer", "account": "370323-19811213-5921"}}, "actor"),
        ({"agency": "x" * 101}, "agency"),
        ({"procedure": ["drug-retail"]}, "procedure"),
        ({"actor": "zhang.san"}, "actor"),
        ({"actor": {"kind": "robot", "account": "r2"}}, "actor"),
        ({"actor": {"kind": ["officer"], "account": "r2"}}, "actor"),
        ({"actor": {"kind": "officer", "account": 7}}, "actor"),
        ({"actor": {"kind": "officer", "account": "a", "name": "张三"}}, "actor"),
        ({"actor": {"kind": "officer", "account": "x" * 101}}, "actor"),
        ({"actor": {"kind": "citizen", "account": NUMBER}}, "actor"),
        ({"officer": "li.si"}, "actor"),
        ({"citizen": "c-1"}, "actor"),
        ({"reason": "because"}, "purpose"),
        ({"case": f"{NUMBER}", "actor": {"kind": "officer", "account": "a\tb"}}, "actor, case"),
    ],
)
def test_a_malformed_part_is_named_and_never_repeated(change: dict[str, object], part: str) -> None:
    found = stated(WHOLE | change)
    assert isinstance(found, Problem)
    assert found.code is Code.PURPOSE_MALFORMED
    assert found.detail == {"part": part}


@pytest.mark.parametrize("extension", ["text", 1, [], [WHOLE], True, False, 0, ""])
def test_a_purpose_that_is_no_object_is_malformed(extension: object) -> None:
    assert problem(stated(extension)) == (Code.PURPOSE_MALFORMED, "purpose")


@pytest.mark.parametrize(
    "case",
    ["%", "%2", "%zz", "a%", "%E6%B7", "%FF", "%ED%A0%80", "%C0%AF", "淄".encode().decode("latin-1"), "%0A"],
)
def test_a_header_that_is_no_percent_encoded_utf8_is_malformed(case: str) -> None:
    assert problem(stated(None, HEADERS | {"Hub-Case": case})) == (Code.PURPOSE_MALFORMED, "case")


def test_percent_and_plus_are_taken_literally_where_encoded() -> None:
    purpose = stated(None, HEADERS | {"Hub-Case": "a+b%25%2Bc d"})
    assert isinstance(purpose, Purpose)
    assert purpose.case == "a+b%+c d"


def test_two_headers_of_one_part_are_malformed() -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    twice = stated_purpose(
        None, [*raw, (b"hub-case", b"other")], ClientId("w"), frozenset({AGENCY}), resident_id
    )
    assert problem(twice) == (Code.PURPOSE_MALFORMED, "case")
    two_actors = stated(None, HEADERS | {"Hub-Device": "k-1"})
    assert problem(two_actors) == (Code.PURPOSE_MALFORMED, "actor")


@pytest.mark.parametrize(
    ("header", "value", "part"),
    [
        ("Hub-Case", "other", "case"),
        ("Hub-Agency", "other", "agency"),
        ("Hub-Procedure", "other", "procedure"),
        ("Hub-Officer", "li.si", "officer"),
        ("Hub-Device", "k-1", "device"),
    ],
)
def test_headers_beside_an_extension_may_only_repeat_it(header: str, value: str, part: str) -> None:
    assert isinstance(stated(WHOLE, HEADERS), Purpose)
    assert isinstance(stated(WHOLE, {"Hub-Case": quote(CASE)}), Purpose)
    assert problem(stated(WHOLE, {header: value})) == (Code.PURPOSE_MALFORMED, part)


def test_headers_do_not_complete_an_extension() -> None:
    half = {part: text for part, text in WHOLE.items() if part != "case"}
    assert problem(stated(half, HEADERS)) == (Code.PURPOSE_MALFORMED, "case")


def test_an_agency_that_has_not_delegated_is_refused() -> None:
    assert problem(stated(WHOLE | {"agency": "12370300004221110X"})) == (Code.AGENCY_NOT_DELEGATED, None)


def test_the_longest_parts_are_allowed() -> None:
    longest = {"case": "案" * 200, "actor": {"kind": "officer", "account": "x" * 100}}
    assert isinstance(stated(WHOLE | longest), Purpose)


@pytest.mark.parametrize(
    "case", ["110105194912310021", "2026-0512-0001", "99999919491231002X", "a\u3000b", "\ue000"]
)
def test_what_is_no_resident_number_is_a_case(case: str) -> None:
    assert isinstance(stated(WHOLE | {"case": case}), Purpose) == (resident_id(case) is None)


def test_every_place_of_a_long_number_is_looked_at() -> None:
    assert names_a_person(f"370300{NUMBER}", resident_id)
    assert not names_a_person(NUMBER[:17], resident_id)
