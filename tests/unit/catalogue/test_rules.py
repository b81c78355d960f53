"""Which record types and offerings fit into one catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from connectors.contract import Offering, Tell
from hub.audit.model import AgencyCode
from hub.catalogue.model import Agency, ConnectorId, FieldCode, Label, RecordCode, Supply
from hub.catalogue.rules import record_type_mistake, snapshot, supply_mistake
from tests.graphql.town import EVIDENCE, RECORDS

DRUG = EVIDENCE[0]
BY_CODE = {record.code: record for record in RECORDS}
BODY = Agency(AgencyCode("11370300004220030X"), Label("局", "Bureau"))


def _supply(connector: str = "store", **change: object) -> Supply:
    fields = ("holder", "number")
    offering = Offering(
        "drug", DRUG.code, "holder", fields, many=True, batch=1, tell=Tell.NONE, freshness=timedelta(days=1)
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


def test_of_two_supplies_the_first_serves() -> None:
    made = snapshot(1, [BODY], RECORDS, [_supply("a"), _supply("b")])
    assert made.supplies[DRUG.code, FieldCode("holder")].connector == "a"
