"""Decides whether a stated purpose is whole and well formed, and in which bytes the log keeps a look-up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    EntryKind,
    InquiryId,
    Known,
    LookedUp,
    LookUp,
    Period,
    ProcedureCode,
    Purpose,
    Result,
    SourceUse,
)
from hub.kernel.crypto.canonical import SORTED, canonical_plain
from hub.kernel.errors import Code, Problem

VERSION: Final = 1  # of the form of an entry
PURPOSE_PARTS: Final = ("agency", "procedure", "case", "actor")
LENGTHS: Final = (100, 100, 200, 100)  # of each part, in characters at the most
OWN_WORDS: Final = PURPOSE_PARTS[2:]  # what a client may word as it likes, but without a person's number
HEADERS: Final = {
    b"hub-agency": "agency",
    b"hub-procedure": "procedure",
    b"hub-case": "case",
    b"hub-officer": "officer",
    b"hub-citizen": "citizen",
    b"hub-device": "device",
}
PARTS: Final = frozenset({"agency", "procedure", "case"})
ACTORS: Final = frozenset(kind.value for kind in ActorKind)
UNREADABLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, invisible marks, surrogates, breaks
PERCENT_ENCODED: Final = re.compile(rb"%([0-9A-Fa-f]{2})?")
BETWEEN: Final = re.compile(r"[^0-9A-Za-z]+")
DIGITS: Final = frozenset(range(10))
PERSON_NUMBER_LENGTH: Final = 18
PERSON_NUMBER: Final = re.compile(r"(?=([1-9][0-9]{16}[0-9Xx]))", re.ASCII)
KNOWN: Final = (
    ("client", Known.VERIFIED),  # by its token
    ("agency", Known.ASSERTED),  # it has delegated to the client, which says that it acts for it now
    ("procedure", Known.DECLARED),
    ("case", Known.DECLARED),
    ("actor", Known.DECLARED),
)

Record = TypeVar("Record", bound=str)
Stated = Mapping[str, str]  # part -> text; an actor stands under its kind


def stated_purpose(
    extension: object,
    headers: Iterable[tuple[bytes, bytes]],
    client: ClientId,
    delegated: Container[AgencyCode],
    is_resident_id: Callable[[str], object],
) -> Purpose | Problem:
    """The purpose of a request from ``extensions.purpose`` (None where it has none) or its ``Hub-…`` headers.

    ``headers`` are an ASGI scope's: lower-case names and raw values. A purpose in the extensions is whole
    by itself; headers beside it may only repeat it. ``delegated`` are the agencies that the client may act
    for. ``is_resident_id`` is true of GB 11643 numbers: a case or account that contains one is refused, as
    the log must hold none.

    Problems: PURPOSE_MISSING and PURPOSE_MALFORMED name the ``part``; AGENCY_NOT_DELEGATED.
    """
    given = stated_in_headers(headers)
    if isinstance(given, Problem):
        return given
    if extension is None:
        return _checked(given, client, delegated, is_resident_id)
    stated = stated_in_extension(extension)
    if isinstance(stated, Problem):
        return stated
    contradicted = [part for part in given if given[part] != stated.get(part)]
    if contradicted:
        return malformed(*sorted(contradicted))
    return _checked(stated, client, delegated, is_resident_id)


def stated_in_extension(extension: object) -> Stated | Problem:
    """The parts of ``{agency, procedure, case, actor: {kind, account}}`` or ``{…, officer: account}``."""
    if not isinstance(extension, dict):
        return malformed("purpose")
    stated: dict[str, str] = {}
    for part, text in extension.items():
        if part == "actor":
            actor = _stated_actor(text)
            if actor is None or actor[0] in extension:
                return malformed("actor")
            stated[actor[0]] = actor[1]
        elif part not in PARTS and part not in ACTORS:
            return malformed("purpose")
        elif not isinstance(text, str):
            return malformed(part)
        else:
            stated[part] = text
    return stated


def _stated_actor(actor: object) -> tuple[str, str] | None:
    if not isinstance(actor, dict) or not actor.keys() <= {"kind", "account"}:
        return None
    kind, account = actor.get("kind"), actor.get("account", "")
    if not isinstance(kind, str) or kind not in ACTORS or not isinstance(account, str):
        return None
    return kind, account


def stated_in_headers(headers: Iterable[tuple[bytes, bytes]]) -> Stated | Problem:
    """The parts in ``Hub-Agency``, ``-Procedure``, ``-Case`` and ``-Officer`` (``-Citizen``, ``-Device``).

    Values are ASCII; other characters are percent-encoded UTF-8 (RFC 3986 §2.1), a percent sign is ``%25``.
    """
    stated: dict[str, str] = {}
    for name, raw in headers:
        part = HEADERS.get(name)
        if part is None:
            continue
        text = _percent_decoded(raw)
        if text is None or part in stated:
            return malformed(part)
        stated[part] = text
    return stated


def _percent_decoded(raw: bytes) -> str | None:
    if not raw.isascii():
        return None
    try:
        return PERCENT_ENCODED.sub(lambda found: bytes([int(found[1], 16)]), raw).decode()
    except (TypeError, UnicodeDecodeError):  # a percent sign without its two digits; bytes that are no UTF-8
        return None


def _checked(
    stated: Stated,
    client: ClientId,
    delegated: Container[AgencyCode],
    is_resident_id: Callable[[str], object],
) -> Purpose | Problem:
    kinds = stated.keys() & ACTORS
    if len(kinds) > 1:
        return malformed("actor")
    kind = next(iter(kinds), "")
    texts = [stated.get(part, "") for part in ("agency", "procedure", "case", kind)]
    if not all(texts):
        missing = [part for part, text in zip(PURPOSE_PARTS, texts, strict=True) if not text]
        return Problem(Code.PURPOSE_MISSING, {"part": ", ".join(missing)})
    wrong = _wrong_parts(texts, is_resident_id)
    if wrong:
        return malformed(*wrong)
    agency, procedure, case, account = texts
    if agency not in delegated:
        return Problem(Code.AGENCY_NOT_DELEGATED)
    actor = Actor(ActorKind(kind), account)
    return Purpose(client, AgencyCode(agency), ProcedureCode(procedure), CaseReference(case), actor, KNOWN)


def _wrong_parts(texts: Sequence[str], is_resident_id: Callable[[str], object]) -> list[str]:
    wrong = [
        part
        for part, text, length in zip(PURPOSE_PARTS, texts, LENGTHS, strict=True)
        if not well_formed(text, length)
    ]
    for part, text in zip(OWN_WORDS, texts[2:], strict=True):
        if part not in wrong and names_a_person(text, is_resident_id):
            wrong.append(part)
    return wrong


def malformed(*parts: str) -> Problem:
    """PURPOSE_MALFORMED naming the parts; never what stands in them."""
    return Problem(Code.PURPOSE_MALFORMED, {"part": ", ".join(parts)})


def well_formed(text: str, length: int) -> bool:
    """Whether a text is short enough, holds nothing invisible, and neither begins nor ends with a space."""
    if len(text) > length or text != text.strip():
        return False
    return text.isprintable() or not any(unicodedata.category(character) in UNREADABLE for character in text)


def names_a_person(text: str, is_resident_id: Callable[[str], object]) -> bool:
    """Whether a resident ID number stands anywhere in a text, in whatever digits and however divided."""
    known = text if text.isascii() else unicodedata.normalize("NFKC", text)
    if len(known) < PERSON_NUMBER_LENGTH:
        return False
    plain = BETWEEN.sub("", known) if known.isascii() else "".join(map(_bare, known))
    return any(is_resident_id(found) for found in PERSON_NUMBER.findall(plain))


def _bare(character: str) -> str:
    """A digit of any script as an ASCII digit, a letter as it is, and nothing for what stands in between."""
    if character.isascii():
        return character if character.isalnum() else ""
    value = unicodedata.numeric(character, None)
    if value in DIGITS:
        return str(int(value))
    return character if character.isalnum() else ""


def commitments_to(pseudonyms: Sequence[bytes], salts: Sequence[bytes]) -> list[str]:
    """SHA-256(salt ‖ pseudonym) of each, hexadecimal: hides who it is once the salt (32 bytes) is gone."""
    return [sha256(salt + name).hexdigest() for name, salt in zip(pseudonyms, salts, strict=True)]


class _Intent(msgspec.Struct, frozen=True):
    """An entry's members, in the order that canonical JSON gives them."""

    at: datetime | str
    fields: msgspec.Raw
    id: UUID
    inquiry: UUID
    kind: EntryKind
    operation: str
    purpose: Mapping[str, object]
    subjects: Sequence[str]
    v: int


class _Subjects(msgspec.Struct, frozen=True):
    at: datetime | str
    id: UUID
    inquiry: UUID
    kind: EntryKind
    subjects: Sequence[str]
    v: int


class _Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    at: datetime | str
    id: UUID
    inquiry: UUID
    kind: EntryKind
    receipt: str | None = None
    response: str | None = None
    result: Result
    sources: Sequence[SourceUse]
    subjects: Sequence[str]
    v: int


def scope_content(fields: Mapping[Record, Iterable[str]]) -> msgspec.Raw:
    """The records and field codes of a question as its intent holds them, encoded."""
    return msgspec.Raw(canonical_plain({record: sorted(codes) for record, codes in fields.items()}))


def intent_entry(
    inquiry: InquiryId,
    at: datetime,
    why: Purpose,
    operation: bytes,
    scope: msgspec.Raw,
    commitments: Sequence[str],
) -> bytes:
    """The entry before any agency is asked; its id is the look-up's. ``operation`` is a SHA-256 digest.

    This and the other entries are canonical JSON (RFC 8785), the leaves of a later Merkle log (RFC 9162).
    """
    return SORTED.encode(
        _Intent(
            _moment(at),
            scope,
            inquiry,
            inquiry,
            EntryKind.INTENT,
            operation.hex(),
            purpose_content(why),
            commitments,
            VERSION,
        )
    )


def subjects_entry(entry: UUID, inquiry: InquiryId, at: datetime, commitments: Sequence[str]) -> bytes:
    """The entry of subjects that appeared on the way, before an agency is asked about them."""
    return SORTED.encode(_Subjects(_moment(at), entry, inquiry, EntryKind.SUBJECTS, commitments, VERSION))


def outcome_entry(
    entry: UUID, inquiry: InquiryId, at: datetime, looked_up: LookedUp, commitments: Sequence[str]
) -> bytes:
    """The entry before the answer leaves; it repeats the commitments of those who were looked up in fact."""
    return SORTED.encode(
        _Outcome(
            at=_moment(at),
            id=entry,
            inquiry=inquiry,
            kind=EntryKind.OUTCOME,
            receipt=None if looked_up.receipt is None else looked_up.receipt.hex(),
            response=None if looked_up.response is None else looked_up.response.hex(),
            result=looked_up.result,
            sources=looked_up.sources,
            subjects=commitments,
            v=VERSION,
        )
    )


def look_up(intent: bytes, later: Iterable[bytes]) -> LookUp:
    """A look-up as its entries tell it: the intent, then those that follow it in order of time."""
    begun = msgspec.json.decode(intent)
    subjects = set(begun["subjects"])
    ended: dict[str, Any] = {}
    for content in map(msgspec.json.decode, later):
        subjects.update(content["subjects"])
        ended = content if content["kind"] == EntryKind.OUTCOME else ended
    return LookUp(
        InquiryId(UUID(begun["inquiry"])),
        datetime.fromisoformat(begun["at"]),
        begun["purpose"],
        {record: tuple(codes) for record, codes in begun["fields"].items()},
        len(subjects),
        Result(ended["result"]) if ended else None,
        datetime.fromisoformat(ended["at"]) if ended else None,
        tuple(ended.get("sources", ())),
    )


def purpose_content(why: Purpose) -> dict[str, object]:
    """A purpose as entries and receipts hold it."""
    return {
        "client": why.client,
        "agency": why.agency,
        "procedure": why.procedure,
        "case": why.case,
        "actor": why.actor,
        "known": dict(why.known),
    }


def period(first: datetime, last: datetime) -> Period:
    """A span of time as entries and receipts hold it."""
    return Period(instant(first), instant(last))


def instant(at: datetime) -> str:
    """An aware time in UTC as RFC 3339 with microseconds and Z."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"


def _moment(at: datetime) -> datetime | str:
    """What is encoded as ``instant`` says; the encoder is faster, but leaves a fraction of zero out."""
    return at.astimezone(UTC) if at.microsecond else instant(at)
