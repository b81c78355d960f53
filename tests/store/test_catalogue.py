"""The catalogue's states: versions of connectors, and their swap in a serving worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from connectors.contract import Form
from hub.audit.model import AgencyCode
from hub.catalogue.model import ConnectorId, FieldCode, FieldType, Officer
from hub.catalogue.service import CatalogueService, ConnectorRegister
from hub.catalogue.store import CatalogueStore
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from tests.graphql.town import POLICE, RECORDS, Desk, Town

ID = ConnectorId("police")
BUREAU = Officer("wang", AgencyCode("11370300004220000X"), approves=True)


class Opener:
    """Opens the town's police desk for any manifest but a bad one, and remembers what it opened."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, dict[str, str], Desk]] = []

    def __call__(self, text: str, credentials: object) -> Desk:
        if text == "broken":
            raise ValueError("not a thing for operators")
        if text == "bad":
            raise HubError(Code.MANIFEST_INVALID, path="connector.kind", rule="rest")
        desk = Closing(Town().police)
        self.opened.append((text, dict(credentials), desk))  # type: ignore[call-overload]  # a mapping
        return desk


class Closing(Desk):
    """A desk that remembers being closed."""

    def __init__(self, like: Desk) -> None:
        super().__init__()
        self.offerings, self.rows = like.offerings, like.rows
        self.closed = False

    async def close(self) -> None:
        self.closed = True


def _service(database: Database, opener: Opener, grace: float = 0) -> CatalogueService:
    return CatalogueService(CatalogueStore(database), Envelope(b"k" * 32), opener, grace, SystemClock())


def _register(database: Database, opener: Opener | None = None) -> ConnectorRegister:
    return ConnectorRegister(CatalogueStore(database), Envelope(b"k" * 32), opener or Opener(), SystemClock())


async def put(database: Database, connector: ConnectorId, agency: AgencyCode, text: str, secrets: Any) -> int:
    """Brings a manifest into service, as two officers do."""
    return await _register(database).register(Officer("li", agency), BUREAU, connector, text, secrets)


async def _settled(owner: Database) -> CatalogueService:
    service = _service(owner, Opener())
    await service.put_agency(POLICE)
    for record in RECORDS:
        await service.put_record_type(record)
    return service


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110  what is awaited has no event
            await asyncio.sleep(0.01)


async def test_a_new_version_is_swapped_in_and_the_old_one_closed(
    database: Database, owner_database: Database
) -> None:
    await _settled(owner_database)
    await put(owner_database, ID, POLICE.code, "v1", {"key": "secret"})
    opener = Opener()
    serving = _service(database, opener)
    await serving.start()
    held = serving.active
    assert held.versions == {ID: 1}
    assert opener.opened[0][:2] == ("v1", {"key": "secret"})
    await put(owner_database, ID, POLICE.code, "v2", {"key": "secret"})
    await _until(lambda: serving.active.versions == {ID: 2})
    assert held.versions == {ID: 1}, "who holds the old state finishes on it"
    await _until(lambda: opener.opened[0][2].closed)  # type: ignore[attr-defined]  # a Closing
    await serving.stop()
    assert opener.opened[1][2].closed  # type: ignore[attr-defined]  # a Closing


async def test_the_same_again_is_no_new_version(owner_database: Database) -> None:
    await _settled(owner_database)
    assert await put(owner_database, ID, POLICE.code, "v1", {"key": "a"}) == 1
    assert await put(owner_database, ID, POLICE.code, "v1", {"key": "a"}) == 1
    assert await put(owner_database, ID, POLICE.code, "v1", {"key": "b"}) == 2
    assert await put(owner_database, ID, POLICE.code, "v0", {"key": "b"}) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("manifest = 'bad'", {"code": "HUB-420"}),
        ("manifest = 'broken'", {"error": "ValueError"}),
        ("sealed_credentials = 'no ciphertext'", {"code": "HUB-430"}),
        ("sealed_credentials = $1", {"error": "DecodeError"}),
    ],
)
async def test_one_agencys_unusable_connector_takes_nobody_down(
    database: Database, owner_database: Database, change: str, told: dict[str, str]
) -> None:
    await _settled(owner_database)
    await put(owner_database, ID, POLICE.code, "v1", {})
    sealed = [Envelope(b"k" * 32).seal(b"no JSON", ID.encode())] if "$1" in change else []
    await owner_database.execute(f"UPDATE catalogue.connector SET {change}", *sealed)
    await put(owner_database, ConnectorId("other"), POLICE.code, "v1", {})
    serving = _service(database, Opener())
    with capture_logs() as entries:
        await serving.start()
    assert set(serving.active.connectors) == {"other"}
    (unusable,) = [entry for entry in entries if entry["event"] == "connector_unusable"]
    assert unusable == {"event": "connector_unusable", "log_level": "error", "connector": ID, **told}
    await serving.stop()


async def test_an_offering_that_no_longer_fits_its_record_is_not_asked(
    database: Database, owner_database: Database
) -> None:
    owner = await _settled(owner_database)
    await put(owner_database, ID, POLICE.code, "v1", {})
    person = next(record for record in RECORDS if record.code == "person")
    field = replace(person.fields[FieldCode("name")], type=FieldType.DATE)
    await owner.put_record_type(replace(person, fields={**person.fields, FieldCode("name"): field}))
    serving = _service(database, Opener())
    await serving.start()
    assert set(serving.active.connectors) == {ID}
    assert not serving.active.snapshot.supplies
    await owner.put_record_type(person)
    await _until(lambda: bool(serving.active.snapshot.supplies))
    await serving.stop()


async def test_a_manifest_whose_forms_do_not_fit_is_refused(owner_database: Database) -> None:
    await _settled(owner_database)
    desk = Town().police
    offering = desk.offerings["person_by_id_number"]
    forms = {**offering.forms, "birth_date": Form.TEXT}
    desk.offerings = {"person_by_id_number": replace(offering, forms=forms)}
    register = _register(owner_database)
    register.connect = lambda _text, _credentials: desk
    with pytest.raises(HubError) as refused:
        await register.propose(Officer("li", POLICE.code), ID, "v1", {})
    detail = refused.value.problem.detail
    assert detail["path"] == "police.person_by_id_number.fields.birth_date"
    assert detail["rule"].startswith("form date or partial_date")


async def test_a_bad_registration_leaves_nothing(owner_database: Database) -> None:
    await _settled(owner_database)
    with pytest.raises(HubError) as refused:
        await put(owner_database, ID, AgencyCode("nobody"), "v1", {})
    assert refused.value.problem.detail["path"] == "connector.agency"
    with pytest.raises(HubError):
        await put(owner_database, ID, POLICE.code, "bad", {})
    assert await owner_database.fetchval("SELECT count(*) FROM catalogue.connector") == 0


async def test_credentials_are_stored_sealed(owner_database: Database) -> None:
    await _settled(owner_database)
    await put(owner_database, ID, POLICE.code, "v1", {"key": "plain-secret"})
    sealed = await owner_database.fetchval("SELECT sealed_credentials FROM catalogue.connector")
    assert isinstance(sealed, bytes)
    assert b"plain-secret" not in sealed


async def test_the_serving_role_only_reads(database: Database) -> None:
    for table in ("agency", "record_type", "connector", "state"):
        await database.fetch(f"SELECT * FROM catalogue.{table}")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(f"DELETE FROM catalogue.{table}")


async def test_record_types_come_back_as_they_went_in(owner_database: Database, tmp_path: Path) -> None:
    await _settled(owner_database)
    rows = await CatalogueStore(owner_database).read()
    assert {record.code: record for record in rows.records} == {record.code: record for record in RECORDS}


async def test_what_has_not_changed_is_the_same_again(database: Database, owner_database: Database) -> None:
    owner = await _settled(owner_database)
    await put(owner_database, ID, POLICE.code, "v1", {"key": "secret"})
    serving = _service(database, Opener())
    await serving.start()
    before = serving.active.snapshot
    changed = RECORDS[-1]
    await owner.put_record_type(replace(changed, legal_basis="another"))
    await _until(lambda: serving.active.snapshot is not before)
    after = serving.active.snapshot
    kept = {code for code, record in after.records.items() if record is before.records[code]}
    assert kept == set(before.records) - {changed.code}
    same = [supply is before.supplies[key] for key, supply in after.supplies.items()]
    assert same
    assert all(same)
    await serving.stop()


async def test_a_change_is_seen_though_its_notice_is_lost(
    database: Database, owner_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.catalogue.service.POLL_SECONDS", 0.1)
    await _settled(owner_database)
    await put(owner_database, ID, POLICE.code, "v1", {"key": "secret"})
    opener = Opener()
    serving = _service(database, opener)
    await serving.start()
    before = serving.active
    await asyncio.sleep(0.35)
    assert serving.active is before, "looking changes nothing"
    await owner_database.execute("ALTER TABLE catalogue.connector DISABLE TRIGGER USER")
    await put(owner_database, ID, POLICE.code, "v2", {"key": "secret"})
    await owner_database.execute("UPDATE catalogue.state SET version = version + 1")
    await _until(lambda: serving.active.versions == {ID: 2})
    await serving.stop()
