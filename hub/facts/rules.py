"""Decides what a fault is called, whether a given name is the recorded one, and what was valid on a day."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from connectors.contract import Fault, Outcome
from hub.facts.model import Sourced
from hub.kernel.errors import Code

FAULT_CODES = {
    "timeout": Code.SOURCE_TIMEOUT,
    "unreachable": Code.SOURCE_UNREACHABLE,
    "busy": Code.SOURCE_BUSY,
    "paused": Code.SOURCE_PAUSED,
    "pending": Code.SOURCE_PENDING,
    "failed": Code.SOURCE_FAILED,
    "malformed": Code.SOURCE_MALFORMED,
    "too_large": Code.SOURCE_TOO_LARGE,
    "refused": Code.SOURCE_REFUSED,
    "login_refused": Code.SOURCE_LOGIN_REFUSED,
    "wrong_subject": Code.SOURCE_WRONG_SUBJECT,
    "code_unknown": Code.SOURCE_CODE_UNKNOWN,
    "address_refused": Code.SOURCE_ADDRESS_REFUSED,
    "incomplete": Code.SOURCE_INCOMPLETE,
    "late": Code.SOURCE_LATE,
    "maintenance": Code.SOURCE_MAINTENANCE,
    "no_offering": Code.NO_OFFERING,
}
"""The numbered error of each kind of fault, ``no_offering`` being ours for a record nobody supplies."""

VALID = "01"
"""有效, of the licence states in use with GB/T 36904 identifiers."""

FOUND, ABSENT = Outcome.FOUND.value, Outcome.ABSENT.value

DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・．.", "·"))


def fault_code(fault: Fault) -> Code:
    """The numbered error of a fault."""
    return FAULT_CODES[fault.kind]


def same_name(given: str, recorded: str) -> bool:
    """Whether a given name is the recorded one, whatever its width, spaces or kind of middle dot.

    Minority names carry U+00B7 on the identity card (GA/T 2000 series forms); keyboards produce others.
    """
    return _plain_name(given) == _plain_name(recorded)


def _plain_name(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold().translate(DOTS)
    return "".join(folded.split())


def was_valid(day: str, status: object, valid_from: object, valid_until: object) -> bool:
    """Whether a certificate of this state and these dates (YYYY-MM-DD; None: open) was valid on a day."""
    if status != VALID:
        return False
    begun = valid_from is None or str(valid_from) <= day
    return begun and (valid_until is None or day <= str(valid_until))


def tally(answers: Iterable[Sourced]) -> dict[str, int]:
    """How many subjects came to which outcome, in alphabetical order."""
    absent = found = 0
    counts: dict[str, int] = {}
    for sourced in answers:
        empty = list(sourced.rows.values()).count(())
        absent, found = absent + empty, found + len(sourced.rows) - empty
        for fault in sourced.faults.values():
            counts[fault.outcome.value] = counts.get(fault.outcome.value, 0) + 1
    if absent:
        counts[ABSENT] = absent
    if found:
        counts[FOUND] = found
    return counts if len(counts) < 2 else {outcome: counts[outcome] for outcome in sorted(counts)}
