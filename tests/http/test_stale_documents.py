"""A trusted document that a change of the catalogue leaves unanswered is told in the log, by number, once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hub.catalogue.model import Label
from hub.catalogue.store import CatalogueStore
from hub.documents.model import TrustedDocument
from hub.documents.rules import digest_of
from hub.documents.store import DocumentStore
from hub.kernel.db import Database
from schema import stale as stale_module
from schema.stale import Check
from tests.graphql.conftest import Counter
from tests.graphql.town import ACME, RECORDS
from tests.http.conftest import trust, until
from tests.unit.kernel.test_log import configured

QUERY = """query Grades($id: UnifiedSocialCreditCode!) {
    business(uscc: $id) { certificates(types: ["drug_business_licence"]) {
        number ... on DrugBusinessLicence { grade { code } }
    } }
}"""
OTHER = "query Name($id: UnifiedSocialCreditCode!) { business(uscc: $id) { name } }"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with configured(stream):
        yield stream


def warnings(written: io.StringIO) -> list[dict[str, Any]]:
    entries = map(json.loads, written.getvalue().splitlines())
    return [entry for entry in entries if entry["event"] == "document_stale"]


async def change(owner: Database, counter: Counter, *, graded: bool, name: str = "Licence") -> None:
    """Takes a field off a record, or puts it back, and waits until the worker knows."""
    before = counter.hub.catalogue.active
    (licence,) = (record for record in RECORDS if record.code == "drug_business_licence")
    fields = {code: one for code, one in licence.fields.items() if graded or code != "grade"}
    await CatalogueStore(owner).put_record_type(replace(licence, fields=fields, name=Label("证", name)))
    await until(lambda: counter.hub.catalogue.active is not before)


async def test_a_document_that_is_answered_no_more_is_told_once_by_number(
    counter: Counter, owner_database: Database, written: io.StringIO
) -> None:
    stale = counter.hub.stale
    await stale.stop()  # looks only when told to
    await trust(counter, owner_database, QUERY, OTHER)
    await stale.look()
    assert warnings(written) == []

    await change(owner_database, counter, graded=False)
    await stale.look()
    (warning,) = warnings(written)
    assert warning["level"] == "warning"
    assert (warning["code"], warning["operation"], warning["error"]) == ("HUB-423", "Grades", "HUB-111")
    assert (await counter.ask(QUERY, {"id": ACME})).codes == ["HUB-111"]
    await change(owner_database, counter, graded=False, name="The same licence")
    await stale.look()
    assert len(warnings(written)) == 1

    await change(owner_database, counter, graded=True)
    await stale.look()
    await change(owner_database, counter, graded=False)
    await stale.look()
    assert len(warnings(written)) == 2


async def test_a_running_worker_looks_by_itself(
    counter: Counter, owner_database: Database, written: io.StringIO
) -> None:
    await trust(counter, owner_database, QUERY)
    await change(owner_database, counter, graded=False)
    await until(lambda: warnings(written))
    assert warnings(written)[0]["code"] == "HUB-423"


async def test_a_look_that_fails_is_not_the_last(
    counter: Counter, owner_database: Database, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(_check: Check, _document: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(stale_module, "LOOK_SECONDS", 0.05)
    with monkeypatch.context() as broken:
        broken.setattr(Check, "problem", breaks)
        await change(owner_database, counter, graded=False)
        await DocumentStore(owner_database).put([TrustedDocument("1", "Grades", QUERY, digest_of(QUERY))])
        await until(lambda: "documents_unchecked" in written.getvalue())
    await until(lambda: warnings(written))
