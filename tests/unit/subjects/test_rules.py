"""What makes an identifier genuine, on real samples and on every one that we compose."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.subjects import rules
from hub.subjects.model import ResidentIdNumber

RESIDENT_IDS = ("11010519491231002X", "360426199101010071")
USCCS = ("91110000600037341L", "11100000000013338W")
LICENCES = (
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
)
USCC_BODIES = st.text(alphabet=rules.USCC_ALPHABET, min_size=17, max_size=17)
DATES = st.dates(min_value=date(1880, 1, 1), max_value=date(2099, 12, 31))


@pytest.mark.parametrize("number", RESIDENT_IDS)
def test_real_resident_ids_are_genuine(number: str) -> None:
    assert rules.resident_id(number) == number


@pytest.mark.parametrize("code", USCCS)
def test_real_usccs_are_genuine(code: str) -> None:
    assert rules.uscc(code) == code
    assert rules.organisation_code(code[8:17]) == code[8:17]


@pytest.mark.parametrize("identifier", LICENCES)
def test_real_licence_identifiers_are_genuine(identifier: str) -> None:
    assert rules.licence_identifier(identifier) == identifier


@pytest.mark.parametrize(
    "text",
    [
        "",
        "11010519491231002",  # 17
        "110105491231002",  # the form of before 1999
        "110105194912310021",  # wrong check digit
        "11010519491231002X ",
        "11010519491331002X",  # no 13th month
        "１１010519491231002X",  # full width
        "01010519491231002X",
        "11010519491231002X\n",
    ],
)
def test_what_is_no_resident_id(text: str) -> None:
    assert rules.resident_id(text) is None


def test_a_number_of_an_impossible_day_is_refused_even_with_its_right_check_digit() -> None:
    body = "370303" + "19990229" + "001"
    assert rules.resident_id(body + rules.check_digit_resident_id(body)) is None


def test_a_small_x_is_made_a_capital() -> None:
    assert rules.resident_id("11010519491231002x") == "11010519491231002X"


def test_an_abolished_region_code_is_accepted() -> None:
    body = "370321" + "19580412" + "113"  # a county of Zibo that is none any more
    assert rules.resident_id(body + rules.check_digit_resident_id(body)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "91110000600037341",
        "91110000600037341M",
        "91110000600037341l",
        "9111000O600037341L",  # O is not of the alphabet
        "91110000600037341L\n",
        "９1110000600037341L",
    ],
)
def test_what_is_no_uscc(text: str) -> None:
    assert rules.uscc(text) is None


def test_letters_are_legal_in_the_first_places() -> None:
    body = "A1370303" + "MA3C0001" + rules.check_digit_organisation("MA3C0001")
    assert rules.uscc(body + rules.check_digit_uscc(body)) is not None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("60003734-1", "600037341"),
        ("600037341", "600037341"),
        ("600037342", None),
        ("", None),
        ("6000-37341", None),
    ],
)
def test_organisation_codes_with_and_without_their_hyphen(text: str, code: str | None) -> None:
    assert rules.organisation_code(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        LICENCES[0][:-1],
        LICENCES[0][:-1] + "V",
        LICENCES[0].replace("1.2.156.3005.2.", "1.2.156.3005.3."),
        LICENCES[0].replace(".001.", ".0010."),
        LICENCES[0].lower(),
    ],
)
def test_what_is_no_licence_identifier(text: str) -> None:
    assert rules.licence_identifier(text) is None


@given(region=st.integers(110000, 829999), born=DATES, serial=st.integers(0, 999))
def test_every_composed_resident_id_is_genuine_and_tells_birth_and_sex(
    region: int, born: date, serial: int
) -> None:
    body = f"{region}{born:%Y%m%d}{serial:03}"
    number = rules.resident_id(body + rules.check_digit_resident_id(body))
    assert number is not None
    assert rules.birth_date(number) == born
    assert rules.sex(number) == ("1" if serial % 2 else "2")


@given(number=st.sampled_from(RESIDENT_IDS), place=st.integers(0, 16), digit=st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_found(number: str, place: int, digit: str) -> None:
    changed = number[:place] + digit + number[place + 1 :]
    assert (rules.resident_id(changed) is None) == (changed != number)


@given(body=USCC_BODIES, place=st.integers(0, 17), character=st.sampled_from(rules.USCC_ALPHABET))
def test_every_composed_uscc_is_genuine_and_one_wrong_character_is_found(
    body: str, place: int, character: str
) -> None:
    code = body + rules.check_digit_uscc(body)
    assert rules.uscc(code) == code
    changed = code[:place] + character + code[place + 1 :]
    assert (rules.uscc(changed) is None) == (changed != code)


@given(body=st.text(alphabet=rules.ALPHANUMERIC, min_size=8, max_size=8))
def test_every_composed_organisation_code_is_genuine(body: str) -> None:
    assert rules.organisation_code(body + rules.check_digit_organisation(body)) is not None


@given(
    kind=st.text(alphabet=rules.ALPHANUMERIC, min_size=21, max_size=21),
    issuer=st.text(alphabet=rules.ALPHANUMERIC, min_size=18, max_size=18),
    serial=st.text(alphabet=rules.ALPHANUMERIC, min_size=1, max_size=20),
)
def test_every_composed_licence_identifier_is_genuine(kind: str, issuer: str, serial: str) -> None:
    identifier = rules.compose_licence_identifier(kind, issuer, serial, "001")
    assert rules.licence_identifier(identifier) == identifier


@given(text=st.text(max_size=40))
def test_any_text_is_answered(text: str) -> None:
    assert rules.resident_id(text) in (None, text.upper())
    assert rules.uscc(text) in (None, text)
    assert rules.licence_identifier(text) in (None, text)


def test_sex_and_birth_of_a_real_sample() -> None:
    number = ResidentIdNumber("11010519491231002X")
    assert (rules.birth_date(number), rules.sex(number)) == (date(1949, 12, 31), "2")
