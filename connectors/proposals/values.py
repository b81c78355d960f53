"""Decides what a column holds by the form of its sample values: numbers with check digits, dates, codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from connectors.dates import DateForm, WrongForm, compile_date
from connectors.mapping import NUMBER
from connectors.proposals.words import spoken, vocabulary

FORMATS = (
    "YYYYMMDD",
    "iso",
    "YYYY/M/D",
    "YYYY年M月D日",
    "YYYY.M.D",
    "YYYY-M-D",
    "YYYYMMDDhhmmss",
    "YYYY/M/D hh:mm:ss",
    "unix_ms",
)
PARTIAL = ("YYYYMMDD", "iso", "YYYY年MM月DD日")
INSTANT = re.compile(r"[0-9]{12,13}")
YEARS = range(1850, 2200)
MOST = 0.8  # of the values must have the form: samples hold typing errors
CODES_HIGHEST = 12  # distinct values of a column of codes
CODE_LONGEST = 12  # characters
CODE_LEAST = 8  # values, or nothing is said of how often each comes
DIGITS = re.compile(r"[0-9]{5,}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
PHONE = re.compile(r"(\+?86)?1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}")
RESIDENT_ID = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC = re.compile(rf"[{USCC_ALPHABET}]{{18}}")
SAFE_DIGITS = 15  # of a number in a workbook (IEEE 754)


def is_resident_id(text: str) -> bool:
    """Whether a text is a resident identity number by shape and check digit (GB 11643)."""
    if not RESIDENT_ID.fullmatch(text):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, RESIDENT_ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[17].upper()


def is_uscc(text: str) -> bool:
    """Whether a text is a unified social credit code by shape and check character (GB 32100)."""
    if not USCC.fullmatch(text):
        return False
    total = sum(USCC_ALPHABET.index(one) * pow(3, place, 31) for place, one in enumerate(text[:17]))
    return USCC_ALPHABET[-total % 31] == text[17]


def is_phone(text: str) -> bool:
    """Whether a text looks like a telephone number of mainland China."""
    return PHONE.fullmatch(text.replace(" ", "")) is not None


def is_number(text: str) -> bool:
    """Whether a text is a number: no leading zeros, not so long that it must be a code."""
    if not NUMBER.fullmatch(text):
        return False
    whole = text.lstrip("+-").partition(".")[0]
    return len(whole) <= SAFE_DIGITS and (whole == "0" or not whole.startswith("0"))


def mostly(values: Sequence[str], test: Callable[[str], bool]) -> bool:
    """Whether there are values and nearly all have the form."""
    return bool(values) and sum(map(test, values)) >= MOST * len(values)


def date_format(values: Sequence[str]) -> tuple[str, bool] | None:
    """The format that reads every value as a plausible date, and whether it must be partial."""
    if not values:
        return None
    for written in FORMATS:
        if written == "unix_ms" and not all(map(INSTANT.fullmatch, values)):
            continue
        if _reads_all(DateForm(written), values):
            return written, False
    for written in PARTIAL:
        if _reads_all(DateForm(written, partial=True), values):
            return written, True
    return None


def has_whole_dates(values: Sequence[str]) -> bool:
    """Whether some value is longer than a year or a month: a number of four digits may be anything."""
    return any(len(value) >= len("19900101") for value in values)


def _reads_all(form: DateForm, values: Sequence[str]) -> bool:
    read = compile_date(form)
    try:
        found = [read(value) for value in values]
    except WrongForm:
        return False
    return all(one is not None and int(one[:4]) in YEARS for one in found)


def says_a_value(text: str) -> bool:
    """Whether a text is a value rather than a name, as in a table that has no header."""
    compact = text.strip()
    if is_resident_id(compact) or is_uscc(compact) or is_phone(compact) or DIGITS.search(compact):
        return True
    return NUMBER.fullmatch(compact) is not None or _is_date(compact)


def code_values(values: Sequence[str]) -> tuple[str, ...]:
    """Distinct values that may be shown as a code: few, short, each more than once, of no person."""
    counted = Counter(values)
    if len(values) < CODE_LEAST or not 2 <= len(counted) <= CODES_HIGHEST or min(counted.values()) < 2:
        return ()
    if not all(map(is_showable, counted)) or _are_people(tuple(counted)):
        return ()
    return tuple(sorted(counted))


def is_showable(value: str) -> bool:
    """Whether a code says nothing of one person by its form: short, with no long run of digits."""
    if not 0 < len(value) <= CODE_LONGEST or CONTROL.search(value) or DIGITS.search(value) or "@" in value:
        return False
    return not (is_resident_id(value) or is_phone(value) or _is_date(value))


def names_a_person(name: str) -> bool:
    """Whether a column's name says that its values name or reach somebody."""
    said = spoken(name)
    return any(word in said for word in vocabulary().telling)


def _is_date(value: str) -> bool:
    return len(value) > 5 and date_format([value]) is not None


def _are_people(values: Sequence[str]) -> bool:
    surnames = vocabulary().surnames
    likely = [value for value in values if 2 <= len(value) <= 4 and value[0] in surnames]
    return 2 * len(likely) >= len(values) and not set(values) <= set(vocabulary().truth)
