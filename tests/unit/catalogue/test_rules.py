"""Which record types and offerings fit into one catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from connectors.contract import Form, Offering, Tell
from hub.audit.model import AgencyCode
from hub.catalogue.model import Agency, ConnectorId, FieldCode, FieldType, Label, RecordCode, Supply
from hub.catalogue.rules import FORMS, record_type_mistake, snapshot, supply_mistake
from tests.graphql.town import ACME, EVIDENCE, RECORDS

DRUG = EVIDENCE[0]
BY_CODE = {record.code: record for record in RECORDS}
BODY = Agency(AgencyCode("11370300004220030X"), Label("局", "Bureau"))


def _supply(connector: str = "store", **change: object) -> Supply:
    fields = ("holder", "number")
    offering = Offering(
        "drug",
        DRUG.code,
        "holder",
        fields,
        many=True,
        batch=1,
        tell=Tell.NONE,
        freshness=timedelta(days=1),
        forms={"holder": Form.TEXT, "number": Form.TEXT},
    )
    return Supply(ConnectorId(connector), 1, BODY, replace(offering, **change))  # type: ignore[arg-type]  # by name


def test_what_fits() -> None:
    assert record_type_mistake(DRUG) is None
    assert supply_mistake(_supply(), BY_CODE) is None


@pytest.mark.parametrize("code", ["__proto__", "_entities", "Drug", "drug licence", "", "药"])
def test_codes_are_names(code: str) -> None:
    assert record_type_mistake(replace(DRUG, code=RecordCode(code)))
    fields = MappingProxyType({**DRUG.fields, FieldCode(code): DRUG.fields[FieldCode("number")]})
    assert record_type_mistake(replace(DRUG, fields=fields))


def test_evidence_has_what_all_evidence_has() -> None:
    fields = {code: field for code, field in DRUG.fields.items() if code != "status"}
    mistake = record_type_mistake(replace(DRUG, fields=fields))
    assert mistake
    assert mistake.detail["path"] == "record_type.drug_business_licence.fields.status"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"record": "unheard_of"}, "store.drug.record"),
        ({"key": "nothing"}, "store.drug.fields.nothing"),
        ({"columns": ("holder", "secret")}, "store.drug.fields.secret"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, object], path: str) -> None:
    mistake = supply_mistake(_supply(**change), BY_CODE)
    assert mistake
    assert mistake.detail["path"] == path


T = FieldType
CLOSED = Form.CODE


@pytest.mark.parametrize(
    ("kind", "form", "values", "fits"),
    [
        (T.TEXT, Form.TEXT, (), True),
        (T.TEXT, Form.DATE, (), False),
        (T.TEXT, Form.BOOLEAN, (), False),
        (T.TEXT, CLOSED, ("汉族", "回族"), True),
        (T.TEXTS, Form.TEXTS, (), True),
        (T.TEXTS, Form.TEXT, (), False),
        (T.TEXTS, CLOSED, ("零售",), False),
        (T.BOOLEAN, Form.BOOLEAN, (), True),
        (T.BOOLEAN, Form.TEXT, (), False),
        (T.BOOLEAN, CLOSED, ("true",), False),
        (T.DATE, Form.DATE, (), True),
        (T.DATE, Form.PARTIAL_DATE, (), False),
        (T.DATE, Form.TEXT, (), False),
        (T.DATE, CLOSED, ("2024-02-29",), True),
        (T.DATE, CLOSED, ("2024-02-29", "2023-02-29"), False),
        (T.DATE, CLOSED, ("20240229",), False),
        (T.DATE, CLOSED, ("2024-02",), False),
        (T.PARTIAL_DATE, Form.PARTIAL_DATE, (), True),
        (T.PARTIAL_DATE, Form.DATE, (), True),
        (T.PARTIAL_DATE, Form.TEXT, (), False),
        (T.PARTIAL_DATE, CLOSED, ("1949", "1949-12", "1949-12-31"), True),
        (T.PARTIAL_DATE, CLOSED, ("1949-13",), False),
        (T.MONEY, Form.MONEY, (), True),
        (T.MONEY, Form.NUMBER, (), False),
        (T.MONEY, CLOSED, ("0.50 CNY",), True),
        (T.MONEY, CLOSED, ("0.50",), False),
        (T.NUMBER, Form.NUMBER, (), True),
        (T.NUMBER, Form.TEXT, (), False),
        (T.NUMBER, CLOSED, ("12.5",), True),
        (T.NUMBER, CLOSED, ("12,5",), False),
        (T.CODE, CLOSED, ("A",), True),
        (T.CODE, CLOSED, ("A", "C"), False),
        (T.CODE, CLOSED, (), False),
        (T.CODE, Form.TEXT, (), False),
        (T.REGION, Form.TEXT, (), True),
        (T.REGION, Form.NUMBER, (), False),
        (T.REGION, CLOSED, ("370303", "370303001", "370303001001"), True),
        (T.REGION, CLOSED, ("Zibo",), False),
        (T.RESIDENT_ID, Form.TEXT, (), True),
        (T.RESIDENT_ID, CLOSED, ("11010519491231002X",), True),
        (T.RESIDENT_ID, CLOSED, ("110105194912310021",), False),
        (T.USCC, Form.TEXT, (), True),
        (T.USCC, Form.BOOLEAN, (), False),
        (T.USCC, CLOSED, (ACME,), True),
        (T.USCC, CLOSED, ("91110000600037341A",), False),
    ],
)
def test_a_column_has_the_form_of_its_field(
    kind: FieldType, form: Form, values: tuple[str, ...], fits: bool
) -> None:
    codes = {"A": Label("甲", "A"), "B": Label("乙", "B")} if kind is T.CODE else None
    field = replace(DRUG.fields[FieldCode("number")], type=kind, codes=codes)
    record = replace(DRUG, fields={**DRUG.fields, FieldCode("number"): field})
    supply = _supply(forms={"holder": Form.TEXT, "number": form}, codes={"number": frozenset(values)})
    mistake = supply_mistake(supply, {DRUG.code: record})
    assert (mistake is None) is fits
    if mistake:
        assert mistake.detail["path"] == "store.drug.fields.number"
        assert kind in mistake.detail["rule"]
        assert not any(value in mistake.detail["rule"] for value in values if value not in (codes or {}))


def test_every_form_and_type_is_decided() -> None:
    assert set(FORMS) == set(FieldType)
    assert {form for forms in FORMS.values() for form in forms} == set(Form) - {Form.CODE}


@pytest.mark.parametrize("column", ["holder", "number"])
def test_a_column_that_is_not_described_does_not_fit(column: str) -> None:
    forms = {name: Form.TEXT for name in ("holder", "number") if name != column}
    mistake = supply_mistake(_supply(forms=forms), BY_CODE)
    assert mistake
    assert mistake.detail["path"] == f"store.drug.fields.{column}"


def test_of_two_supplies_the_first_serves() -> None:
    made = snapshot(1, [BODY], RECORDS, [_supply("a"), _supply("b")])
    assert made.supplies[DRUG.code, FieldCode("holder")].connector == "a"
