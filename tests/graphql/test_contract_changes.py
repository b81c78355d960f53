"""The contract follows the catalogue while it is asked: only what a change concerns is made anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from graphql import GraphQLObjectType, print_schema

from hub.catalogue.model import (
    Field,
    FieldCode,
    FieldType,
    Kind,
    Label,
    RecordCode,
    RecordType,
    Sensitivity,
    Snapshot,
)
from hub.catalogue.rules import snapshot
from hub.catalogue.store import CatalogueStore
from hub.kernel.db import Database
from schema.build import Contract, build_schema, successor
from schema.execution.document import Document
from schema.execution.prepare import Prepared, Ready
from tests.graphql.conftest import Counter
from tests.graphql.town import ANNA, RECORDS
from tests.http.conftest import until

EVIDENCE = [record for record in RECORDS if record.kind is Kind.EVIDENCE]
FIRST, SECOND = EVIDENCE[:2]
NAME = '{ person(idNumber: "%s") { name } }' % ANNA


def type_of(record: RecordType) -> str:
    return "".join(part.capitalize() for part in record.code.split("_"))


def held(record: RecordType, field: str = "status") -> str:
    """A question for one person's certificates of a type, with a fragment on it."""
    return '{ person(idNumber: "%s") { certificates(types: ["%s"]) { id ... on %s { %s } } } }' % (
        ANNA,
        record.code,
        type_of(record),
        field,
    )


def with_field(record: RecordType, code: str) -> RecordType:
    added = Field(FieldCode(code), FieldType.TEXT, Label("新", "New"), Sensitivity.PUBLIC)
    return replace(record, fields={**record.fields, added.code: added})


def of(records: Iterable[RecordType], version: int = 2) -> Snapshot:
    return snapshot(version, (), records, ())


def swapped(record: RecordType) -> list[RecordType]:
    return [record if one.code == record.code else one for one in RECORDS]


@pytest.fixture
def before() -> Contract:
    return build_schema(of(RECORDS, 1))


def prepared(contract: Contract, text: str) -> tuple[Prepared, Ready]:
    document = contract.documents.read(text)
    assert isinstance(document, Document), document
    made = contract.prepared(document, next(iter(document.operations.values())))
    ready = made.ready({})
    assert isinstance(ready, Ready)
    return made, ready


def test_a_contract_that_followed_is_the_one_that_would_be_built_anew(before: Contract) -> None:
    extra = replace(SECOND, code=RecordCode("quite_new"), standard=None)
    records = [one for one in swapped(with_field(FIRST, "colour")) if one.code != SECOND.code] + [extra]
    followed = successor(before, of(records))
    anew = build_schema(of(records))
    assert print_schema(followed.schema) == print_schema(anew.schema)
    assert followed.record_of_type == anew.record_of_type
    assert "QuiteNew" in followed.schema.type_map
    assert type_of(SECOND) not in followed.schema.type_map


def test_only_the_type_that_changed_is_made_anew(before: Contract) -> None:
    after = successor(before, of(swapped(with_field(FIRST, "colour"))))
    made = {code for code, kind in after.evidence.items() if kind is not before.evidence[code]}
    assert made == {FIRST.code}
    kind = after.schema.type_map[type_of(FIRST)]
    assert isinstance(kind, GraphQLObjectType)
    assert "colour" in kind.fields


def test_what_changes_no_type_changes_nothing_of_the_contract(before: Contract) -> None:
    after = successor(before, of(RECORDS))
    assert (after.schema, after.documents, after.plans) == (before.schema, before.documents, before.plans)
    assert after.snapshot.version == 2


def test_documents_and_plans_stay_but_those_of_the_type_that_changed(before: Contract) -> None:
    kept, ready = prepared(before, held(SECOND))
    lost, of_old = prepared(before, held(FIRST))
    after = successor(before, of(swapped(with_field(FIRST, "colour"))))
    again, ready_again = prepared(after, held(SECOND))
    assert again is kept
    assert ready_again.compiled is ready.compiled
    assert again.schema is after.schema
    anew, of_new = prepared(after, held(FIRST))
    assert anew is not lost
    assert of_new.compiled is not of_old.compiled


def test_a_plan_by_claims_of_a_type_that_changed_goes_too(before: Contract) -> None:
    text = '{ person(idNumber: "%s") { certificates(types: ["%s"]) { claims(names: ["status"]) { name } } } }'
    _, ready = prepared(before, text % (ANNA, FIRST.code))
    _, other = prepared(before, text % (ANNA, SECOND.code))
    after = successor(before, of(swapped(with_field(FIRST, "colour"))))
    assert prepared(after, text % (ANNA, FIRST.code))[1].compiled is not ready.compiled
    assert prepared(after, text % (ANNA, SECOND.code))[1].compiled is other.compiled


def test_trusted_documents_stay_as_well(before: Contract) -> None:
    document = before.documents.read(held(SECOND), trusted=True)
    after = successor(before, of(swapped(with_field(FIRST, "colour"))))
    assert after.documents.read(held(SECOND), trusted=True) is document


def test_a_mistake_may_be_none_any_more_and_a_valid_document_may_be_one(before: Contract) -> None:
    asked_early = held(FIRST, "colour")
    assert isinstance(before.documents.read(asked_early), tuple)
    after = successor(before, of(swapped(with_field(FIRST, "colour"))))
    assert isinstance(after.documents.read(asked_early), Document)
    gone = successor(after, of([one for one in RECORDS if one.code != FIRST.code], 3))
    assert isinstance(gone.documents.read(asked_early), tuple)


def test_bounds_hold_over_many_changes(before: Contract) -> None:
    contract = before
    for version in range(30):
        for number in range(60):
            prepared(contract, NAME.replace("name", f"n{version}_{number}: name"))
        prepared(contract, NAME)
        contract = successor(contract, of(swapped(with_field(FIRST, f"field_{version}")), version))
        kept = contract.documents.kept
        assert len(kept) <= kept.most
        assert kept.weight == sum(map(len, kept))
        assert len(contract.plans.kept) <= len(kept)
    assert contract.plans.kept.weight <= contract.plans.kept.most_weight


def test_the_description_for_gateways_is_of_its_own_contract(before: Contract) -> None:
    after = successor(before, of(swapped(with_field(FIRST, "colour"))))

    def sdl(contract: Contract) -> str:
        query = contract.schema.query_type
        assert query is not None
        told: str = query.fields["_service"].resolve(None, None)["sdl"]  # type: ignore[misc, index, arg-type]
        return told

    assert "colour: String" in sdl(after)
    assert "colour: String" not in sdl(before)


async def test_a_field_that_an_agency_adds_is_asked_for_at_once(
    counter: Counter, owner_database: Database
) -> None:
    assert (await counter.ask(held(FIRST, "colour"))).codes == ["HUB-111"]
    assert (await counter.ask(NAME)).codes == []
    store = CatalogueStore(owner_database)
    await store.put_record_type(with_field(FIRST, "colour"))
    active = counter.hub.catalogue
    await until(lambda: "colour" in active.active.snapshot.records[FIRST.code].fields)
    assert (await counter.ask(NAME)).codes == []
    assert (await counter.ask(held(FIRST, "colour"))).codes == ["HUB-144"]  # known now, but not granted


async def test_a_state_of_which_no_contract_can_be_made_ends_nobody_elses(
    counter: Counter, owner_database: Database
) -> None:
    assert (await counter.ask(NAME)).codes == []
    clash = replace(FIRST, code=RecordCode(f"{FIRST.code}_"))  # whose type would have the same name
    await owner_database.execute("ALTER TABLE catalogue.record_type DROP CONSTRAINT record_type_code_check")
    await CatalogueStore(owner_database).put_record_type(clash)
    await until(lambda: clash.code in counter.hub.catalogue.active.snapshot.records)
    assert (await counter.ask(NAME)).codes == []
    assert (await counter.ask(held(SECOND))).codes == []
