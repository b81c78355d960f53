"""Decides whether an identifier of a subject or of a licence is genuine, and computes check digits."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from operator import mul

from hub.subjects.model import LicenceIdentifier, ResidentIdNumber, UnifiedSocialCreditCode

RESIDENT_ID_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9Xx]", re.ASCII)
REGION_SHAPE = re.compile(r"[1-9][0-9]{5}", re.ASCII)
BIRTH_SHAPE = re.compile(r"[0-9]{8}", re.ASCII)
SERIAL_SHAPE = re.compile(r"[0-9]{3}", re.ASCII)
REGIONS_REMEMBERED, DAYS_REMEMBERED, SERIALS_REMEMBERED = 4_096, 16_384, 1_024
RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_ID_CHECKS = "10X98765432"
DIGIT_ZERO = ord("0") * sum(RESIDENT_ID_WEIGHTS)  # what digits weigh as ASCII beyond their values

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_SHAPE = re.compile(rf"[{USCC_ALPHABET}]{{18}}", re.ASCII)
USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
USCC_SUM_WEIGHTS = (*USCC_WEIGHTS, 1)  # with the check digit the whole is divisible by 31
USCC_VALUES = bytes.maketrans(USCC_ALPHABET.encode(), bytes(range(31)))

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_SHAPE = re.compile(r"[0-9A-Z]{8}[0-9X]", re.ASCII)
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

LICENCE_ROOT = "1.2.156.3005.2."
LICENCE_SHAPE = re.compile(
    r"1\.2\.156\.3005\.2\.([0-9A-Z]{21})\.([0-9A-Z]{18})\.([0-9A-Z]{1,64})\.([0-9A-Z]{3})\.([0-9A-Z])",
    re.ASCII,
)


def resident_id(text: str) -> ResidentIdNumber | None:
    """The resident identity number, with its X as a capital, or None where GB 11643 does not allow it.

    Shape, calendar date and check digit decide. Region codes are those in force at birth and
    hundreds have been abolished since, so no list of present codes is asked.
    """
    if len(text) != 18:
        return None
    region, birth, serial = _region_weight(text[:6]), _birth_weight(text[6:14]), _serial_weight(text[14:17])
    if region is None or birth is None or serial is None:
        return None
    check = RESIDENT_ID_CHECKS[(region + birth + serial) % 11]
    if text[17] == check:
        return ResidentIdNumber(text)
    return ResidentIdNumber(text.upper()) if text[17] == "x" and check == "X" else None


def resident_id_mistake(text: object) -> str:
    """What is wrong with what is no resident identity number: text, length, characters, date or check."""
    if not isinstance(text, str):
        return "text"
    if len(text) != 18:
        return "length"
    if RESIDENT_ID_SHAPE.fullmatch(text) is None:
        return "characters"
    return "check" if _is_date(text[6:14]) else "date"


def check_digit_resident_id(body: str) -> str:
    """The 18th character for 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    return RESIDENT_ID_CHECKS[(sum(map(mul, body.encode("ascii"), RESIDENT_ID_WEIGHTS)) - DIGIT_ZERO) % 11]


def birth_date(number: ResidentIdNumber) -> date:
    """The birth date that the number was given for; a register may know another or a partial one."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def sex(number: ResidentIdNumber) -> str:
    """The GB/T 2261.1 code that the serial was given for: "1" male (odd), "2" female (even)."""
    return "1" if int(number[16]) % 2 else "2"


def uscc(text: str) -> UnifiedSocialCreditCode | None:
    """The unified social credit code, or None where GB 32100 does not allow it.

    The alphabet holds in every place: letters are legal in the first ones too. The organisation
    code inside is not checked again, as registers hold genuine codes whose inner digit differs.
    """
    if USCC_SHAPE.fullmatch(text) is None:
        return None
    values = text.encode("ascii").translate(USCC_VALUES)
    return UnifiedSocialCreditCode(text) if sum(map(mul, values, USCC_SUM_WEIGHTS)) % 31 == 0 else None


def uscc_mistake(text: object) -> str:
    """What is wrong with what is no unified social credit code: text, length, characters or check."""
    if not isinstance(text, str):
        return "text"
    if len(text) != 18:
        return "length"
    return "check" if USCC_SHAPE.fullmatch(text) else "characters"


def check_digit_uscc(body: str) -> str:
    """The 18th character for 17 characters of the GB 32100 alphabet."""
    values = body.encode("ascii").translate(USCC_VALUES)
    return USCC_ALPHABET[-sum(map(mul, values, USCC_WEIGHTS)) % 31]


def organisation_code(text: str) -> str | None:
    """The nine characters of an organisation code without hyphen, or None where GB 11714 forbids them."""
    code = text[:8] + text[9:] if text[8:9] == "-" else text
    if ORGANISATION_SHAPE.fullmatch(code) is None or check_digit_organisation(code[:8]) != code[8]:
        return None
    return code


def check_digit_organisation(body: str) -> str:
    """The ninth character for eight characters 0-9A-Z (GB 11714)."""
    return "0123456789X0"[11 - sum(map(mul, map(ALPHANUMERIC.index, body), ORGANISATION_WEIGHTS)) % 11]


def licence_identifier(text: str) -> LicenceIdentifier | None:
    """The electronic licence identifier, or None where GB/T 36904 does not allow it.

    The form is ``1.2.156.3005.2.TYPE.ISSUER.SERIAL.VERSION.CHECK``.
    """
    parts = LICENCE_SHAPE.fullmatch(text)
    if parts is None:
        return None
    *body, check = parts.groups()
    return LicenceIdentifier(text) if check_digit_licence("".join(body)) == check else None


def check_digit_licence(body: str) -> str:
    """The check character over type, issuer, serial and version without dots (ISO 7064 MOD 37,36)."""
    remainder = 36
    for character in body:
        remainder = (remainder + int(character, 36)) % 36 or 36
        remainder = remainder * 2 % 37
    return ALPHANUMERIC[(37 - remainder) % 36]


def compose_licence_identifier(type_code: str, issuer: str, serial: str, version: str) -> LicenceIdentifier:
    """The identifier of a licence: type (21), issuer's USCC (18), serial (1 to 64), version (3), checked."""
    check = check_digit_licence(type_code + issuer + serial + version)
    return LicenceIdentifier(f"{LICENCE_ROOT}{type_code}.{issuer}.{serial}.{version}.{check}")


# Regions, days and serials are few and name nobody; whole numbers are not remembered.


@lru_cache(REGIONS_REMEMBERED)
def _region_weight(digits: str) -> int | None:
    return _weight(digits, 0) if REGION_SHAPE.fullmatch(digits) else None


@lru_cache(DAYS_REMEMBERED)
def _birth_weight(digits: str) -> int | None:
    return _weight(digits, 6) if BIRTH_SHAPE.fullmatch(digits) and _is_date(digits) else None


@lru_cache(SERIALS_REMEMBERED)
def _serial_weight(digits: str) -> int | None:
    return _weight(digits, 14) if SERIAL_SHAPE.fullmatch(digits) else None


def _weight(digits: str, place: int) -> int:
    """What the digits from a place on add to the sum that decides the check digit."""
    return sum(map(mul, map(int, digits), RESIDENT_ID_WEIGHTS[place:]))


def _is_date(digits: str) -> bool:
    try:
        date.fromisoformat(digits)  # ISO 8601 basic form
    except ValueError:
        return False
    return True
