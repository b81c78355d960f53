"""The commands that set, list and take back quotas, and what a question may cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.audit.model import AgencyCode, ClientId
from hub.catalogue.store import CatalogueStore
from hub.clients.model import Client
from hub.clients.store import ClientStore
from hub.demo.seed import record_types
from hub.kernel.db import Database
from tests.conftest import Databases

ROOT = Path(__file__).parents[2]
NOTHING = {"record": None, "per_second": None, "per_minute": None, "per_day": None, "cost": None}


class Office:
    """Runs the commands as the operator does."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.environ = {
            **os.environ,
            "HUB_DATABASE_URL": databases.serving,
            "HUB_OWNER_DATABASE_URL": databases.owner,
            "HUB_DATA": str(folder / "data"),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", "quotas", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False
        )

    def does(self, *arguments: str) -> None:
        ran = self.run(*arguments)
        assert ran.returncode == 0, ran.stderr

    def listed(self) -> object:
        return json.loads(self.run("list", "--json").stdout)


@pytest.fixture
async def office(databases: Databases, owner_database: Database, tmp_path: Path) -> Office:
    for record in record_types().values():
        await CatalogueStore(owner_database).put_record_type(record)
    for client in ("kiosk", "window"):
        await ClientStore(owner_database).put(
            Client(ClientId(client), "审批系统", frozenset({AgencyCode("11370300MB2841234X")}))
        )
    return Office(databases, tmp_path)


def test_quotas_are_set_listed_and_taken_back(office: Office) -> None:
    office.does("set", "--client", "window", "--per-minute", "60000", "--per-second", "0")
    office.does("set", "--record", "person", "--per-day", "5000")
    office.does("set", "--client", "kiosk", "--record", "person", "--per-day", "100")
    office.does("cost", "window", "300")
    office.does("cost", "kiosk", "200")
    assert office.listed() == [
        NOTHING | {"client": None, "record": "person", "per_day": 5000},
        NOTHING | {"client": "kiosk", "record": "person", "per_day": 100},
        NOTHING | {"client": "window", "per_second": 0, "per_minute": 60000, "cost": 300},
        NOTHING | {"client": "kiosk", "cost": 200},
    ]
    table = office.run("list").stdout
    assert all(told in table for told in ("window", "60000", "no limit", "every other client"))
    office.does("remove", "--client", "kiosk", "--record", "person")
    office.does("remove", "--record", "person")
    office.does("remove", "--client", "window")
    office.does("cost", "window")
    office.does("cost", "kiosk")
    assert office.listed() == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("set", "--per-day", "1"), "client"),
        (("set", "--client", "window"), "limits"),
        (("set", "--client", "nobody", "--per-day", "1"), "client"),
        (("set", "--record", "persons", "--per-day", "1"), "record"),
        (("remove", "--record", "person"), "record"),
        (("cost", "nobody", "1"), "client"),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(office: Office, arguments: tuple[str, ...], part: str) -> None:
    ran = office.run(*arguments)
    assert ran.returncode == 1
    assert f"HUB-422 A quota cannot be set\n  '{part}' breaks" in ran.stderr
    assert office.listed() == []


def test_setting_needs_the_owner_role(office: Office) -> None:
    del office.environ["HUB_OWNER_DATABASE_URL"]
    ran = office.run("set", "--client", "window", "--per-day", "1")
    assert (ran.returncode, "HUB-412" in ran.stderr) == (1, True)
