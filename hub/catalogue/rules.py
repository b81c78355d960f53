"""Decides whether agencies, record types and offerings fit together into one catalogue."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from connectors.contract import Form, Offering
from hub.audit.model import AgencyCode
from hub.catalogue.model import (
    Agency,
    Field,
    FieldCode,
    FieldType,
    Kind,
    Label,
    Officer,
    RecordCode,
    RecordType,
    Sensitivity,
    Sharing,
    Snapshot,
    State,
    Step,
    Supply,
    Version,
)
from hub.kernel.errors import Code, Problem
from hub.subjects.model import Scheme
from hub.subjects.rules import resident_id, uscc

Described = TypeVar("Described")

CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

EVERY_EVIDENCE = tuple(
    FieldCode(code)
    for code in (
        "identifier",
        "number",
        "holder",
        "holder_scheme",
        "holder_name",
        "issuer",
        "issuer_name",
        "issued_on",
        "valid_from",
        "valid_until",
        "status",
    )
)
"""The fields that every evidence type has (GB/T 36903, GB/T 36904)."""

FORMS: Mapping[FieldType, frozenset[Form]] = MappingProxyType(
    {
        FieldType.TEXT: frozenset({Form.TEXT}),
        FieldType.TEXTS: frozenset({Form.TEXTS}),
        FieldType.BOOLEAN: frozenset({Form.BOOLEAN}),
        FieldType.DATE: frozenset({Form.DATE}),
        FieldType.PARTIAL_DATE: frozenset({Form.DATE, Form.PARTIAL_DATE}),
        FieldType.MONEY: frozenset({Form.MONEY}),
        FieldType.NUMBER: frozenset({Form.NUMBER}),
        FieldType.CODE: frozenset(),
        FieldType.REGION: frozenset({Form.TEXT}),
        FieldType.RESIDENT_ID: frozenset({Form.TEXT}),
        FieldType.USCC: frozenset({Form.TEXT}),
    }
)
"""The open forms of a connector's column that supply each field type."""

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PARTIAL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
NUMBER = r"[+-]?[0-9]+(\.[0-9]+)?"
REGION = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")  # GB/T 2260, GB/T 10114


STATUSES = {
    "01": Label("有效", "Valid"),
    "02": Label("暂扣", "Withheld"),
    "03": Label("撤销", "Rescinded"),
    "04": Label("注销", "Deregistered"),
    "05": Label("失效", "Lapsed"),
    "06": Label("转出", "Transferred"),
    "07": Label("吊销", "Revoked"),
    "99": Label("其他", "Other"),
}
HOLDERS = {"111": Label("公民身份号码", "Resident ID number"), "001": Label("统一社会信用代码", "USCC")}
SHARED_BY_ALL: Mapping[FieldCode, tuple[FieldType, Label, Mapping[str, Label] | None]] = MappingProxyType(
    dict(
        zip(
            EVERY_EVIDENCE,
            (
                (FieldType.TEXT, Label("电子证照标识", "Licence identifier (GB/T 36904)"), None),
                (FieldType.TEXT, Label("证照号码", "Number"), None),
                (FieldType.TEXT, Label("持证主体代码", "Holder"), None),
                (FieldType.CODE, Label("持证主体代码类型", "Scheme of the holder's code"), HOLDERS),
                (FieldType.TEXT, Label("持证主体", "Holder's name"), None),
                (FieldType.USCC, Label("颁发机构代码", "Issuer"), None),
                (FieldType.TEXT, Label("颁发机构", "Issuer's name"), None),
                (FieldType.DATE, Label("颁发日期", "Issued on"), None),
                (FieldType.DATE, Label("有效期起始日期", "Valid from"), None),
                (FieldType.DATE, Label("有效期截止日期", "Valid until"), None),
                (FieldType.CODE, Label("证照状态", "Status"), STATUSES),
            ),
            strict=True,
        )
    )
)
"""Type, names and codes of the fields that no sheet writes down, since every evidence type has them."""

LARGEST_SHEET = 500_000  # characters
MOST_FIELDS = 200  # of one type

STEPS: Mapping[tuple[State | None, Step], State] = MappingProxyType(
    {
        (None, Step.PROPOSE): State.PROPOSED,
        (State.PROPOSED, Step.APPROVE): State.APPROVED,
        (State.PROPOSED, Step.REJECT): State.RETIRED,
        (State.APPROVED, Step.ACTIVATE): State.ACTIVE,
        (State.ACTIVE, Step.PAUSE): State.PAUSED,
        (State.PAUSED, Step.RESUME): State.ACTIVE,
        (State.ACTIVE, Step.SUPERSEDE): State.SUPERSEDED,
        (State.PAUSED, Step.SUPERSEDE): State.SUPERSEDED,
        (State.SUPERSEDED, Step.ROLL_BACK): State.ACTIVE,
        (State.PROPOSED, Step.RETIRE): State.RETIRED,
        (State.APPROVED, Step.RETIRE): State.RETIRED,
        (State.ACTIVE, Step.RETIRE): State.RETIRED,
        (State.PAUSED, Step.RETIRE): State.RETIRED,
        (State.SUPERSEDED, Step.RETIRE): State.RETIRED,
    }
)
"""Every step that there is, by the state it starts from (None: a new version), with where it leads."""

JUDGEMENTS = frozenset({Step.APPROVE, Step.REJECT})
"""Steps of the bureau's officers alone."""

EMERGENCIES = frozenset({Step.PAUSE, Step.RETIRE})
"""Steps of the agency's officers that the bureau's may take too."""

IN_SERVICE = frozenset({State.ACTIVE, State.PAUSED})
"""At most one version of a connector is in one of these."""


def after(step: Step, officer: Officer, version: Version) -> State | Problem:
    """The state to which an officer's step leads a version that is registered.

    Problems: CONNECTOR_OF_ANOTHER, FOUR_EYES (who proposed never approves), STEP_NOT_POSSIBLE naming both.
    """
    if not _may(step, officer, version.agency):
        return Problem(Code.CONNECTOR_OF_ANOTHER)
    led = STEPS.get((version.state, step))
    if led is None:
        return Problem(Code.STEP_NOT_POSSIBLE, {"part": step.value, "state": version.state.value})
    if step is Step.APPROVE and officer.account == version.proposed_by:
        return Problem(Code.FOUR_EYES)
    return led


def _may(step: Step, officer: Officer, agency: AgencyCode) -> bool:
    if step in JUDGEMENTS:
        return officer.approves
    return officer.agency == agency or (officer.approves and step in EMERGENCIES)


def step_content(
    at: datetime, officer: Officer, step: Step, version: Version, led: State
) -> Mapping[str, object]:
    """What the log holds of a step; the digests say of which manifest and report."""
    return {
        "v": 1,
        "kind": "connector_step",
        "at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "officer": {"account": officer.account, "agency": officer.agency},
        "step": step.value,
        "connector": version.connector,
        "version": version.number,
        "agency": version.agency,
        "from": None if step is Step.PROPOSE else version.state.value,
        "to": led.value,
        "manifest": version.manifest.hex(),
        "report": None if version.report is None else version.report.hex(),
    }


def types_content(
    at: datetime, officer: Officer, records: Iterable[RecordType], sheet: bytes
) -> Mapping[str, object]:
    """What the log holds of evidence types that came into the catalogue; ``sheet``: SHA-256 of it."""
    return {
        "v": 1,
        "kind": "record_types",
        "at": at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "officer": {"account": officer.account, "agency": officer.agency},
        "records": sorted(record.code for record in records),
        "sheet": sheet.hex(),
    }


class _Described(msgspec.Struct, forbid_unknown_fields=True):
    kind: Literal["evidence"]
    name: Label
    holders: list[Scheme]
    sharing: Sharing
    legal_basis: Annotated[str, msgspec.Meta(min_length=1)]
    sensitivity: Sensitivity
    fields: dict[str, Any]
    standard: str | None = None


class _DescribedField(msgspec.Struct, forbid_unknown_fields=True):
    type: FieldType
    name: Label
    sensitivity: Sensitivity | None = None
    unit: str | None = None
    codes: dict[str, Label] | None = None


def read_record_types(text: str) -> tuple[RecordType, ...] | tuple[Problem, ...]:
    """The evidence types that a sheet describes (``docs/connect-an-agency.md``), or every mistake in it.

    Each is MANIFEST_INVALID with its path. The fields that every evidence type has are added.
    """
    try:
        table = tomllib.loads(text) if len(text) <= LARGEST_SHEET else {}
    except ValueError:
        return (_wrong("", "TOML"),)
    records = table.get("records")
    if set(table) != {"records"} or not isinstance(records, dict) or not records:
        return (_wrong("records", f"a table of evidence types, of {LARGEST_SHEET} characters at most"),)
    mistakes: list[Problem] = []
    read = [_read_type(code, described, mistakes) for code, described in records.items()]
    return tuple(mistakes) or tuple(record for record in read if record is not None)


def _read_type(code: str, described: object, mistakes: list[Problem]) -> RecordType | None:
    path = f"records.{code}"
    found = _converted(described, _Described, path, mistakes)
    if found is None:
        return None
    if not 0 < len(found.fields) <= MOST_FIELDS:
        mistakes.append(_wrong(f"{path}.fields", f"1 to {MOST_FIELDS} fields"))
        return None
    common = {
        field: Field(field, kind, name, found.sensitivity, codes)
        for field, (kind, name, codes) in SHARED_BY_ALL.items()
    }
    own = (_read_field(field, one, found, path, mistakes) for field, one in found.fields.items())
    fields = common | {field.code: field for field in own if field is not None}
    record = RecordType(
        RecordCode(code),
        Kind.EVIDENCE,
        found.name,
        found.standard,
        tuple(found.holders),
        found.sharing,
        found.legal_basis,
        fields,
    )
    mistake = record_type_mistake(record)
    mistakes += [mistake] if mistake else []
    return record


def _read_field(
    code: str, described: object, record: _Described, path: str, mistakes: list[Problem]
) -> Field | None:
    path = f"{path}.fields.{code}"
    if code in SHARED_BY_ALL:
        mistakes.append(_wrong(path, "nothing: every evidence type has this field"))
        return None
    found = _converted(described, _DescribedField, path, mistakes)
    if found is None:
        return None
    if (found.type is FieldType.CODE) != bool(found.codes):
        mistakes.append(_wrong(f"{path}.codes", "a table of codes for type code, and only there"))
    if found.unit is not None and found.type is not FieldType.NUMBER:
        mistakes.append(_wrong(f"{path}.unit", "nothing: only numbers have a unit"))
    sensitivity = found.sensitivity or record.sensitivity
    return Field(FieldCode(code), found.type, found.name, sensitivity, found.codes, found.unit)


def _converted(value: object, kind: type[Described], path: str, mistakes: list[Problem]) -> Described | None:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        expected, _, where = str(error).partition(" - at `$")
        mistakes.append(_wrong(path + where.rstrip("`"), expected))
        return None


def _wrong(path: str, rule: str) -> Problem:
    return Problem(Code.MANIFEST_INVALID, {"path": path, "rule": rule})


def record_type_mistake(record: RecordType) -> Problem | None:
    """What is wrong with a record type by itself: its codes, or a field that every evidence type has."""
    for code in (record.code, *record.fields):
        if not CODE.fullmatch(code):
            return Problem(
                Code.MANIFEST_INVALID, {"path": f"record_type.{record.code}", "rule": "lower_snake"}
            )
    if record.kind is Kind.EVIDENCE:
        for code in EVERY_EVIDENCE:
            if code not in record.fields:
                return Problem(
                    Code.MANIFEST_INVALID,
                    {"path": f"record_type.{record.code}.fields.{code}", "rule": "field"},
                )
    return None


def supply_mistake(supply: Supply, records: Mapping[RecordCode, RecordType]) -> Problem | None:
    """What is wrong with an offering against the record type that it claims to supply."""
    offering = supply.offering
    where = f"{supply.connector}.{offering.name}"
    record = records.get(RecordCode(offering.record))
    if record is None:
        return Problem(Code.MANIFEST_INVALID, {"path": f"{where}.record", "rule": "record type"})
    for column in (offering.key, *offering.columns):
        if column not in record.fields:
            return Problem(Code.MANIFEST_INVALID, {"path": f"{where}.fields.{column}", "rule": "field"})
        wanted = wanted_form(offering, column, record.fields[FieldCode(column)])
        if wanted is not None:
            return Problem(Code.MANIFEST_INVALID, {"path": f"{where}.fields.{column}", "rule": wanted})
    return None


def wanted_form(offering: Offering, column: str, field: Field) -> str | None:
    """What a column would have to look like for its field, in words; None when it does.

    A column with a closed set of values (codes, a constant) supplies any field that all of them suit.
    """
    form = offering.forms.get(column)
    if form is not Form.CODE:
        return None if form in FORMS[field.type] else _in_words(field)
    values = offering.codes.get(column, frozenset())
    return None if values and all(_suits(value, field) for value in values) else _in_words(field)


def _suits(value: str, field: Field) -> bool:
    if field.type is FieldType.CODE:
        return value in (field.codes or {})
    return field.type in SUITS and SUITS[field.type](value)


def _in_words(field: Field) -> str:
    if field.type is FieldType.CODE:
        return f"form code, each one of {', '.join(sorted(field.codes or {}))}"
    open_forms = f"form {' or '.join(sorted(FORMS[field.type]))}"
    return f"{open_forms}, or codes that are each a {field.type}" if field.type in SUITS else open_forms


def _is_partial_date(text: str) -> bool:
    return PARTIAL_DATE.fullmatch(text) is not None and _is_date(text + "-01-01"[: 10 - len(text)])


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return DATE.fullmatch(text) is not None


SUITS: Mapping[FieldType, Callable[[str], bool]] = MappingProxyType(
    {
        FieldType.TEXT: bool,
        FieldType.DATE: _is_date,
        FieldType.PARTIAL_DATE: _is_partial_date,
        FieldType.MONEY: lambda text: re.fullmatch(rf"{NUMBER} [A-Z]{{3}}", text) is not None,
        FieldType.NUMBER: lambda text: re.fullmatch(NUMBER, text) is not None,
        FieldType.REGION: lambda text: REGION.fullmatch(text) is not None,
        FieldType.RESIDENT_ID: lambda text: resident_id(text) == text,
        FieldType.USCC: lambda text: uscc(text) == text,
    }
)
"""Whether one value of a closed set is a value of a field type."""


def snapshot(
    version: int, agencies: Iterable[Agency], records: Iterable[RecordType], supplies: Iterable[Supply]
) -> Snapshot:
    """One immutable catalogue; of two supplies of the same record and key the first by connector serves."""
    by_key: dict[tuple[RecordCode, FieldCode], Supply] = {}
    for supply in supplies:
        key = (RecordCode(supply.offering.record), FieldCode(supply.offering.key))
        by_key.setdefault(key, supply)
    return Snapshot(
        version,
        MappingProxyType({agency.code: agency for agency in agencies}),
        MappingProxyType({record.code: record for record in records}),
        MappingProxyType(by_key),
    )
