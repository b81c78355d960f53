"""The demo's catalogue, manifests and sheet fit together, and what they promise is granted."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.manifest import Manifest, read
from hub.audit.model import AgencyCode
from hub.catalogue.model import Agency, ConnectorId, FieldType, Kind, Label, RecordCode, Supply
from hub.catalogue.rules import record_type_mistake, supply_mistake
from hub.demo.authorities import DEPARTMENTS, department
from hub.demo.city import City
from hub.demo.place import PORTS, Place
from hub.demo.seed import AGENCIES, CONNECTORS, manifest, read_items, read_plan, record_types
from hub.demo.sheet import compose_sheet
from hub.subjects import rules

BASE = "http://127.0.0.1:8300"


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    found = {}
    for name in PORTS:
        one = read(manifest(name, 9000))
        assert isinstance(one, Manifest), one
        found[name] = one
    return found


def test_every_record_type_is_taken_by_the_catalogue() -> None:
    assert [mistake for record in record_types().values() if (mistake := record_type_mistake(record))] == []


def test_every_record_is_offered_with_all_of_its_fields(manifests: dict[str, Manifest]) -> None:
    records = record_types()
    offered: dict[RecordCode, set[str]] = {}
    for one in manifests.values():
        for offering in one.offerings:
            offered[RecordCode(offering.offering.record)] = set(offering.offering.columns)
    assert set(offered) == set(records)
    for code, columns in offered.items():
        assert columns == set(records[code].fields), code


def _mistakes(text: str) -> list[str]:
    """The paths of what does not fit the record types."""
    one = read(text)
    assert isinstance(one, Manifest), one
    agency = Agency(AgencyCode(one.agency), Label("局", "Bureau"))
    supplies = [Supply(ConnectorId(one.id), 1, agency, offered.offering) for offered in one.offerings]
    found = [supply_mistake(supply, record_types()) for supply in supplies]
    return [mistake.detail["path"] for mistake in found if mistake]


@pytest.mark.parametrize("name", PORTS)
def test_every_field_has_the_form_of_its_record(name: str) -> None:
    assert _mistakes(manifest(name, 9000)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "field"),
    [
        ('{ path = "csrq", date = "YYYYMMDD", partial = true }', '"csrq"', "birth_date"),
        ('{ path = "swbz", codes = { "0" = false, "1" = true } }', '"swbz"', "deceased"),
        ('"9" = "9"', '"9" = "X"', "sex"),
    ],
)
def test_a_field_without_its_form_is_refused(right: str, wrong: str, field: str) -> None:
    text = manifest("police", 9000)
    assert right in text
    assert _mistakes(text.replace(right, wrong)) == [f"police-population.person.fields.{field}"]


def test_manifests_speak_of_agencies_and_connectors_that_are_registered(
    manifests: dict[str, Manifest],
) -> None:
    for name, one in manifests.items():
        assert one.agency == department(AGENCIES[name]).code()
        assert one.id == CONNECTORS[name]


def test_a_manifest_gets_the_port_of_its_agency() -> None:
    assert "9123" in manifest("police", 9123)
    assert "8311" not in manifest("police", 9123)
    assert "port = 9124" in manifest("market", 9124)
    assert "127.0.0.1:9125/graphql" in manifest("licences", 9125)


def test_every_department_has_a_genuine_code_of_its_own() -> None:
    codes = [one.code() for one in DEPARTMENTS]
    assert all(rules.uscc(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_every_code_field_has_its_table_and_no_other_has_one() -> None:
    for record in record_types().values():
        for field in record.fields.values():
            assert (field.codes is not None) is (field.type is FieldType.CODE), (record.code, field.code)


def test_a_field_name_has_one_type_in_all_evidence_types() -> None:
    """Else one GraphQL question could not ask two evidence types for it."""
    types: dict[str, set[tuple[FieldType, tuple[str, ...]]]] = {}
    for record in record_types().values():
        for field in record.fields.values():
            if record.kind is Kind.EVIDENCE:
                types.setdefault(field.code, set()).add((field.type, tuple(field.codes or ())))
    assert {code: found for code, found in types.items() if len(found) > 1} == {}


def test_the_procedures_read_what_exists_and_each_has_a_code_of_its_own() -> None:
    records = record_types()
    items = read_items(records)
    assert len({item.code for item in items}) == len(items)
    for item in items:
        for record, fields in item.reads.items():
            assert fields <= set(records[record].fields)


def test_sensitive_types_are_granted_for_nothing() -> None:
    withheld = {"divorce_certificate", "minimum_living_allowance", "disability_certificate"}
    for item in read_items(record_types()):
        assert withheld.isdisjoint(item.reads)


@pytest.fixture(scope="module")
def sheet() -> dict[str, object]:
    return compose_sheet(Place(Path("/nowhere"), 8300), City(), BASE, "secret")


def test_the_sheet_names_what_works(sheet: dict[str, object]) -> None:
    plan = read_plan()
    assert sheet["case"] == plan["case"] == "淄审批〔2026〕12号"
    assert sheet["client"] == {"id": plan["client"], "secret": "secret"}
    headers = sheet["headers"]
    assert isinstance(headers, dict)
    assert set(headers) == {"Hub-Agency", "Hub-Procedure", "Hub-Case", "Hub-Officer"}
    assert all(value.isascii() for value in headers.values())


def test_the_sheets_people_and_businesses_are_special_each_in_words(sheet: dict[str, object]) -> None:
    for group, key, check in (("people", "idNumber", rules.resident_id), ("businesses", "uscc", rules.uscc)):
        told = sheet[group]
        assert isinstance(told, list)
        assert len({one[key] for one in told}) == len(told) >= 12
        assert all(one["zh"] and one["en"] for one in told)
        assert [check(one[key]) is None for one in told] == [False] * (len(told) - 1) + [True]


def test_every_evidence_type_is_told_granted_or_not(sheet: dict[str, object]) -> None:
    granted, withheld = sheet["certificateTypes"], sheet["certificateTypesNotGranted"]
    assert isinstance(granted, list)
    assert isinstance(withheld, list)
    told = {one["code"] for one in granted + withheld}
    assert told == {code for code, record in record_types().items() if record.kind is Kind.EVIDENCE}
    assert withheld
