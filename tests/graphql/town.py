"""A small town for the GraphQL tests: records, and desks that answer, fail and remember their asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from connectors.contract import Answer, Ask, Fault, Form, Offering, Outcome, Row, Tell
from connectors.wrappers import Batches
from hub.audit.model import AgencyCode
from hub.catalogue.model import (
    Agency,
    Field,
    FieldCode,
    FieldType,
    Kind,
    Label,
    RecordCode,
    RecordType,
    Sensitivity,
    Sharing,
)
from hub.catalogue.rules import EVERY_EVIDENCE
from hub.subjects.model import Scheme

ANNA = "11010519491231002X"
BEN = "360426199101010071"
NOBODY = "440524188001010014"
ACME = "91110000600037341L"
BUREAU = "11100000000013338W"
ADDED = "2026-11-01T08:00:00+08:00"
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)

POLICE = Agency(AgencyCode("11370300004220030X"), Label("公安局", "Public security"))
MARKET = Agency(AgencyCode("11370300004220006X"), Label("市场监管局", "Market regulation"))
STORE = Agency(AgencyCode("113703000042200145"), Label("审批局", "Licence store"))

Rows = dict[str, list[dict[str, object]]]

PEOPLE: Rows = {
    ANNA: [
        {
            "id_number": ANNA,
            "name": "安娜·阿依古丽",
            "sex": "2",
            "birth_date": "1949-12",
            "ethnicity": "汉族",
            "address": "张店区柳泉路1号",
            "region": "370303",
            "deceased": False,
            "under_investigation": True,
        }
    ],
    BEN: [
        {
            "id_number": BEN,
            "name": "本杰明",
            "sex": "1",
            "birth_date": "1991-01-01",
            "ethnicity": "汉族",
            "address": None,
            "region": "370302",
            "deceased": False,
            "under_investigation": False,
        }
    ],
}
BUSINESSES: Rows = {
    ACME: [
        {
            "uscc": ACME,
            "name": "淄博安康药店",
            "legal_form": "有限责任公司",
            "registered_capital": "500000.00 CNY",
            "established": "2019-05-06",
            "scope": "药品零售",
            "address": "张店区",
            "region": "370303",
            "status": "ACTIVE",
            "legal_representative": ANNA,
        }
    ]
}
ROLES = [
    {"person_id": ANNA, "uscc": ACME, "role": "LEGAL_REPRESENTATIVE", "since": "2019-05-06"},
    {"person_id": ANNA, "uscc": ACME, "role": "SHAREHOLDER", "since": "2019-05-06"},
    {"person_id": BEN, "uscc": ACME, "role": "MANAGER", "since": "2020-01-01"},
]


def _licence(serial: str, holder: str, scheme: str, **own: object) -> dict[str, object]:
    return {
        "identifier": f"1.2.156.3005.2.{serial}",
        "number": f"鲁{serial}",
        "holder": holder,
        "holder_scheme": scheme,
        "holder_name": "持有人",
        "issuer": BUREAU,
        "issuer_name": "淄博市行政审批服务局",
        "issued_on": "2024-01-01",
        "valid_from": "2024-01-01",
        "valid_until": "2028-12-31",
        "status": "01",
    } | own


DRUG: Rows = {
    ACME: [
        _licence(
            "D1", ACME, "001", scope=("中成药", "化学药"), manager="本杰明", capital="10.50 CNY", grade="A"
        ),
        _licence("D0", ACME, "001", scope=None, manager=None, capital=None, grade=None, status="07"),
    ]
}
PHYSICIAN: Rows = {ANNA: [_licence("P1", ANNA, "111", category="临床")]}


def by(rows: list[dict[str, object]], key: str) -> Rows:
    """Rows by one of their columns."""
    found: Rows = {}
    for row in rows:
        found.setdefault(str(row[key]), []).append(row)
    return found


GRADES = frozenset({"A"})
EVERY_FORM = dict.fromkeys(("issued_on", "valid_from", "valid_until"), Form.DATE)
FORMS: dict[str, dict[str, Form]] = {  # what is no text
    "person": {
        "birth_date": Form.PARTIAL_DATE,
        "deceased": Form.BOOLEAN,
        "under_investigation": Form.BOOLEAN,
    },
    "business": {"registered_capital": Form.MONEY, "established": Form.DATE},
    "business_role": {"since": Form.DATE},
    "drug_business_licence": EVERY_FORM | {"scope": Form.TEXTS, "capital": Form.MONEY, "grade": Form.CODE},
    "physician_practice": EVERY_FORM,
}


def _offering(record: str, key: str, many: bool, columns: tuple[str, ...]) -> Offering:
    forms = {column: FORMS[record].get(column, Form.TEXT) for column in columns}
    codes = {column: GRADES for column, form in forms.items() if form is Form.CODE}
    name = f"{record}_by_{key}"
    return Offering(name, record, key, columns, many, 2, Tell.NONE, timedelta(days=1), forms, codes)


class Desk:
    """An agency's connector: rows by offering and key, with faults to order and a memory of every ask."""

    def __init__(self, *held: tuple[str, str, bool, Rows]) -> None:
        self.offerings = {
            f"{record}_by_{key}": _offering(record, key, many, _columns(rows))
            for record, key, many, rows in held
        }
        self.rows = {f"{record}_by_{key}": rows for record, key, _, rows in held}
        self.asks: list[Ask] = []
        self.fault: Fault | None = None
        self.before: Callable[[Ask], Awaitable[None]] | None = None

    def describe(self) -> tuple[Offering, ...]:
        return tuple(self.offerings.values())

    async def health(self, deadline: float) -> Fault | None:
        return self.fault

    async def fetch(self, ask: Ask) -> Answer:
        self.asks.append(ask)
        if self.before is not None:
            await self.before(ask)
        if self.fault is not None:
            return Answer({}, dict.fromkeys(ask.keys, self.fault))
        held = self.rows[ask.offering]
        rows = {key: tuple(_row(row, ask.columns) for row in held.get(key, [])) for key in ask.keys}
        return Answer(rows, {}, AS_OF)

    async def close(self) -> None:
        await asyncio.sleep(0)


def _columns(rows: Rows) -> tuple[str, ...]:
    return tuple(next(iter(rows.values()))[0])


def _row(row: Mapping[str, object], columns: tuple[str, ...]) -> Row:
    return tuple(row[column] for column in columns)


class Town:
    """The three agencies of the town, and the manifests' stand-ins that open them."""

    def __init__(self) -> None:
        self.police = Desk(("person", "id_number", False, PEOPLE))
        self.market = Desk(
            ("business", "uscc", False, BUSINESSES),
            ("business_role", "person_id", True, by(ROLES, "person_id")),
            ("business_role", "uscc", True, by(ROLES, "uscc")),
        )
        self.store = Desk(
            ("drug_business_licence", "holder", True, DRUG), ("physician_practice", "holder", True, PHYSICIAN)
        )
        self.desks = {"police": self.police, "market": self.market, "store": self.store}

    def open(self, text: str, credentials: Mapping[str, str]) -> Desk:
        """The desk whose name stands in place of a manifest."""
        return Batches(self.desks[text])

    async def close(self) -> None:
        """Nothing is held open."""

    @property
    def asked(self) -> list[Ask]:
        """Every ask that reached an agency."""
        return [*self.police.asks, *self.market.asks, *self.store.asks]


DOWN = Fault(Outcome.UNAVAILABLE, "timeout", None, "c-1")


def soon(seconds: float) -> float:
    """A deadline."""
    return time.monotonic() + seconds


def _field(code: str, kind: FieldType, codes: Mapping[str, Label] | None = None) -> Field:
    return Field(FieldCode(code), kind, Label(f"{code}（中）", code), Sensitivity.PERSONAL, codes)


def _record(code: str, kind: Kind, sharing: Sharing, *fields: Field) -> RecordType:
    holders = (Scheme.RESIDENT_ID, Scheme.USCC)
    label = Label(f"{code}（中）", code)
    return RecordType(
        RecordCode(code),
        kind,
        label,
        None,
        holders,
        sharing,
        "令809",
        {field.code: field for field in fields},
    )


T = FieldType
TYPES = {
    "birth_date": T.PARTIAL_DATE,
    "deceased": T.BOOLEAN,
    "under_investigation": T.BOOLEAN,
    "registered_capital": T.MONEY,
    "established": T.DATE,
    "since": T.DATE,
    "issued_on": T.DATE,
    "valid_from": T.DATE,
    "valid_until": T.DATE,
    "id_number": T.RESIDENT_ID,
    "person_id": T.RESIDENT_ID,
    "legal_representative": T.RESIDENT_ID,
    "uscc": T.USCC,
    "region": T.REGION,
}


def _fields(codes: Iterable[str]) -> list[Field]:
    return [_field(code, TYPES.get(code, T.TEXT)) for code in codes]


BASE = [
    _record("person", Kind.BASE, Sharing.CONDITIONAL, *_fields(PEOPLE[ANNA][0])),
    _record("business", Kind.BASE, Sharing.CONDITIONAL, *_fields(BUSINESSES[ACME][0])),
    _record("business_role", Kind.RELATION, Sharing.CONDITIONAL, *_fields(ROLES[0])),
]
EVERY = _fields(EVERY_EVIDENCE)
EVIDENCE = [
    _record(
        "drug_business_licence",
        Kind.EVIDENCE,
        Sharing.CONDITIONAL,
        *EVERY,
        _field("scope", T.TEXTS),
        _field("manager", T.TEXT),
        _field("capital", T.MONEY),
        _field("grade", T.CODE, {"A": Label("甲级", "Grade A")}),
    ),
    _record("physician_practice", Kind.EVIDENCE, Sharing.CONDITIONAL, *EVERY, _field("category", T.TEXT)),
    _record("sealed_will", Kind.EVIDENCE, Sharing.NOT_SHARED, *EVERY),
    _record("ship_registration", Kind.EVIDENCE, Sharing.CONDITIONAL, *EVERY),
]
RECORDS = [*BASE, *EVIDENCE]
