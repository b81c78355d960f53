"""A file that an agency hands over becomes facts, by command or watched folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from connectors.cache import Cache
from connectors.contract import Connector
from connectors.metering import Meter
from hub.asgi import application
from hub.catalogue.model import ConnectorId
from hub.catalogue.model import Officer as Account
from hub.catalogue.service import ConnectorRegister, Credentials
from hub.catalogue.store import CatalogueStore
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.master import master_key
from hub.kernel.db import Database
from hub.kernel.settings import Settings, read_settings
from hub.staging.service import StagedRows
from hub.staging.store import StagingStore
from hub.wiring import Connectors, assemble, sealing_of, take_files
from tests.conftest import Databases
from tests.connectors import files_samples as samples
from tests.connectors.files_samples import ANNA, BERTA, ROWS
from tests.graphql.conftest import BUREAU, CLIENT, Counter, settle
from tests.graphql.town import MARKET, POLICE, Town

ROOT = Path(__file__).parents[2]
MANIFEST = samples.MANIFEST.replace("11370300004220030X", POLICE.code)
QUESTION = "query Q($id: ResidentIdNumber!) { person(idNumber: $id) { name birthDate source { asOf } } }"
LI_NA = Account("li.na", POLICE.code)
STRANGER = Account("stranger", MARKET.code)
HOUR_AGO = time.time() - 3600


@dataclass
class Officer:
    """Runs the commands as an officer does, and drops files as an agency does."""

    settings: Settings
    folder: Path
    environ: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", "files", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False
        )

    def listed(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.run("list", "--json").stdout)
        return found

    def write(self, content: bytes, name: str = "shebao-1.csv") -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / name
        file.write_bytes(content)
        os.utime(file, (HOUR_AGO, HOUR_AGO))
        return file

    async def watch(self) -> int:
        assert self.settings.files is not None
        return await take_files(self.settings.files, self.settings)


class Office:
    """Opens what is a manifest, and of the town what is a name."""

    def __init__(
        self, settings: Settings, database: Database, town: Town, registry: CollectorRegistry
    ) -> None:
        nothing = Cache(0, str.encode, SystemClock().now)
        staged = StagedRows(StagingStore(database), sealing_of(settings))
        meter = Meter(registry)
        self._connectors = Connectors(settings, SystemClock(), meter, nothing, staged=staged)
        self._town = town

    def open(self, text: str, credentials: Credentials) -> Connector:
        if "[connector]" in text:
            return self._connectors.open(text, credentials)
        return self._town.open(text, credentials)

    async def close(self) -> None:
        await self._connectors.close()


@pytest.fixture
def officer(databases: Databases, tmp_path: Path) -> Officer:
    environ = {
        "HUB_DATABASE_URL": databases.serving,
        "HUB_OWNER_DATABASE_URL": databases.owner,
        "HUB_DATA": str(tmp_path / "data"),
        "HUB_FILES": str(tmp_path / "files"),
        "HUB_DEADLINE_SECONDS": "2",
    }
    folder = tmp_path / "files" / "hr-insurance"
    return Officer(read_settings(environ), folder, {**os.environ, **environ})


@pytest.fixture
async def counter(
    officer: Officer, town: Town, database: Database, owner_database: Database
) -> AsyncIterator[Counter]:
    """A hub in which public security hands its register over as a file."""
    settings, registry = officer.settings, CollectorRegistry()
    office = Office(settings, database, town, registry)
    hub = assemble(settings, database, office.open, office.close, registry)
    secret, _ = await settle(owner_database, hub, town, settings.data)
    await owner_database.execute("DELETE FROM catalogue.connector WHERE id = 'police'")
    envelope = Envelope(master_key(None, settings.data))
    register = ConnectorRegister(CatalogueStore(owner_database), envelope, office.open, hub.clock)
    for account in (LI_NA, STRANGER):
        await register.put_officer(account)
    await register.register(LI_NA, BUREAU, ConnectorId("hr-insurance"), MANIFEST, {})
    async with hub.running():
        made = Counter(hub, town, owner_database, application(hub, registry))
        known = hub.clients.authenticate_secret(CLIENT, secret)
        made.tokens[CLIENT] = hub.clients.issue_token(known).token  # type: ignore[arg-type,union-attr]
        yield made


async def test_a_file_becomes_an_answer(counter: Counter, officer: Officer) -> None:
    before = await counter.ask(QUESTION, {"id": ANNA})
    assert set(before.codes) == {"HUB-312"}, "not loaded yet is not absent"
    ran = officer.run("load", str(officer.write(samples.csv())), "--connector", "hr-insurance")
    assert ran.returncode == 0, ran.stderr
    found = await counter.ask(QUESTION, {"id": ANNA})
    person = found.body["data"]["person"]
    assert (person["name"], person["birthDate"]) == ("王安娜", "1949-12-31")
    assert person["source"]["asOf"][:13] == time.strftime("%Y-%m-%dT%H", time.gmtime(HOUR_AGO))


async def test_the_officer_sees_what_is_wrong_and_no_value(counter: Counter, officer: Officer) -> None:
    bad = officer.write(samples.csv([*ROWS[:1], (BERTA[:-1], "不可说", "1", "1991/1/1")]))
    ran = officer.run("load", str(bad), "--connector", "hr-insurance")
    assert ran.returncode == 1
    assert "line 3" in ran.stderr
    assert "证件号码" in ran.stderr
    assert "号码不正确" in ran.stderr
    shown = officer.run("list").stdout + json.dumps(officer.listed(), ensure_ascii=False) + ran.stderr
    for value in (BERTA[:-1], "不可说", "王安娜"):
        assert value not in shown
    (listed,) = officer.listed()
    assert listed["state"] == "refused"
    assert listed["reasons"] == [{"reason": "key_wrong", "line": 3, "column": "证件号码"}]
    assert set((await counter.ask(QUESTION, {"id": ANNA})).codes) == {"HUB-312"}


async def test_the_officer_accepts_and_rejects(counter: Counter, officer: Officer) -> None:
    officer.run("load", str(officer.write(samples.csv())), "--connector", "hr-insurance")
    for decision in ("reject", "accept"):
        empty = officer.write(samples.csv([]), f"shebao-{decision}.csv")
        ran = officer.run("load", str(empty), "--connector", "hr-insurance")
        assert "accept" in ran.stdout
        number = str(officer.listed()[0]["number"])
        assert "HUB-428" in officer.run(decision, number, "--by", "nobody").stderr
        assert "HUB-424" in officer.run(decision, number, "--by", "stranger").stderr
        assert officer.run(decision, number, "--by", "li.na").returncode == 0
        assert officer.listed()[0]["decided_by"] == "li.na"
        again = officer.run(decision, number, "--by", "li.na")
        assert (again.returncode, "HUB-461" in again.stderr) == (1, True)
        person = (await counter.ask(QUESTION, {"id": ANNA})).body["data"]["person"]
        assert (person is None) == (decision == "accept")


@pytest.mark.parametrize(
    "arguments",
    [
        ("load", "/nowhere", "--connector", "hr-insurance"),
        ("load", "/", "--connector", "hr-insurance"),
        ("load", "pyproject.toml", "--connector", "market"),
        ("load", "pyproject.toml", "--connector", "hr-insurance", "--offering", "other"),
        ("accept", "99", "--by", "w"),
        ("accept", "99999999999999999999", "--by", "w"),
    ],
)
async def test_nonsense_is_told_by_number(
    counter: Counter, officer: Officer, arguments: tuple[str, ...]
) -> None:
    ran = officer.run(*arguments)
    assert ran.returncode != 0
    assert "Traceback" not in ran.stderr
    assert "HUB-46" in ran.stderr or ran.returncode == 2


async def test_a_watched_folder_is_loaded_once(
    counter: Counter, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.files_folder.SETTLED_SECONDS", 0.0)
    assert await officer.watch() == 0, "there is no folder yet"
    officer.write(samples.csv())
    assert await officer.watch() == 1
    assert await officer.watch() == 0, "a file that is known is not read again"
    assert (await counter.ask(QUESTION, {"id": ANNA})).body["data"]["person"]["name"] == "王安娜"
    officer.write(b"nonsense", "shebao-2.csv")
    assert (await officer.watch(), await officer.watch()) == (1, 0)
    states = [load["state"] for load in officer.listed()]
    assert states == ["refused", "serving"]


async def test_what_is_still_being_written_is_left_alone(counter: Counter, officer: Officer) -> None:
    officer.write(samples.csv())
    assert await officer.watch() == 0, "its times on the disk may lie, when it changed does not"


async def test_no_link_leads_out_of_the_folder(
    counter: Counter, officer: Officer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.files_folder.SETTLED_SECONDS", 0.0)
    outside = tmp_path / "outside.csv"
    outside.write_bytes(samples.csv())
    officer.folder.mkdir(parents=True)
    (officer.folder / "shebao-1.csv").symlink_to(outside)
    assert await officer.watch() == 1
    (officer.folder / "shebao-1.csv").unlink()
    os.mkfifo(officer.folder / "shebao-1.csv")
    assert await officer.watch() == 1
    (officer.folder / "shebao-1.csv").unlink()
    (officer.folder / "shebao-1.csv").hardlink_to(outside)
    assert await officer.watch() == 1
    reasons = [load["reasons"][0]["reason"] for load in officer.listed()]  # type: ignore[index]
    assert reasons == ["not_a_file"] * 3
    elsewhere = tmp_path / "elsewhere"
    officer.folder.rename(elsewhere)
    officer.folder.symlink_to(elsewhere)
    assert await officer.watch() == 0


async def test_nobody_watches_without_the_owners_role(officer: Officer) -> None:
    settings = replace(officer.settings, owner_database_url=None)
    with pytest.raises(Exception, match="HUB-412"):
        await take_files(officer.folder, settings)
