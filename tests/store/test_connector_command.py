"""The commands by which two officers bring a connector into service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.catalogue.store import CatalogueStore
from hub.kernel.db import Database
from tests.conftest import Databases
from tests.connectors import samples
from tests.graphql.town import MARKET, POLICE, RECORDS

ROOT = Path(__file__).parents[2]
MANIFEST = samples.rest("https://police.test/api")


class Office:
    """Runs the commands as officers do."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "HUB_DATABASE_URL": databases.serving,
            "HUB_OWNER_DATABASE_URL": databases.owner,
            "HUB_DATA": str(folder / "data"),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False
        )

    def does(self, *arguments: str) -> str:
        ran = self.run(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()

    def refuses(self, code: str, *arguments: str) -> None:
        ran = self.run(*arguments)
        assert (ran.returncode, code in ran.stderr) == (1, True), ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


@pytest.fixture
async def office(databases: Databases, owner_database: Database, tmp_path: Path) -> Office:
    store = CatalogueStore(owner_database)
    for agency in (POLICE, MARKET):
        await store.put_agency(agency)
    for record in RECORDS:
        await store.put_record_type(record)
    return Office(databases, tmp_path)


def test_from_a_file_into_service_and_back(office: Office) -> None:
    for account, agency, more in (("li", POLICE, ()), ("wang", MARKET, ("--approves",))):
        office.does("connector", "officer", account, "--agency", agency.code, *more)
    manifest = office.file("police.toml", MANIFEST)
    report = office.file("report.json", "{}")
    as_li, as_wang = ("--officer", "li"), ("--officer", "wang")
    one = ("police-population", "1")
    assert office.does("connector", "propose", manifest, *as_li, "--report", report) == "1"
    office.refuses("HUB-424", "connector", "approve", *one, *as_li)
    office.refuses("HUB-426", "connector", "activate", *one, *as_li)
    office.refuses("HUB-428", "connector", "approve", *one, "--officer", "nobody")
    assert office.does("connector", "approve", *one, *as_wang) == "approved"
    assert office.does("connector", "activate", *one, *as_li) == "active"
    until = ("--until", "2036-05-12T08:00+08:00")
    assert office.does("connector", "pause", *one, *as_li, *until) == "paused"
    (listed,) = json.loads(office.does("connector", "list", "--json"))
    assert (listed["state"], listed["until"], listed["proposed_by"], listed["approved_by"]) == (
        "paused",
        "2036-05-12T00:00:00+00:00",
        "li",
        "wang",
    )
    shown = office.does("connector", "list", "police-population")
    assert "维护中" in shown
    assert "paused" in shown
    assert office.does("connector", "resume", *one, *as_li) == "active"
    steps = [json.loads(line) for line in office.does("audit", "steps").splitlines()]
    assert [step["step"] for step in steps] == ["resume", "pause", "activate", "approve", "propose"]
    office.refuses("HUB-427", "connector", "roll-back", "police-population", "9", *as_li)


def test_what_is_wrong_with_a_proposal_is_told(office: Office) -> None:
    office.does("connector", "officer", "li", "--agency", POLICE.code)
    office.does("connector", "officer", "zhao", "--agency", MARKET.code)
    manifest = office.file("police.toml", MANIFEST)
    office.refuses("HUB-420", "connector", "propose", "/nowhere.toml", "--officer", "li")
    office.refuses("HUB-420", "connector", "propose", office.file("x.toml", "x"), "--officer", "li")
    office.refuses("HUB-424", "connector", "propose", manifest, "--officer", "zhao")
    secrets = office.file("secrets.toml", "key = 5")
    office.refuses("HUB-420", "connector", "propose", manifest, "--officer", "li", "--secrets", secrets)
    assert json.loads(office.does("connector", "list", "--json")) == []
    assert "没有连接器" in office.does("connector", "list")
