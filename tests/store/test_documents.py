"""Trusted documents as rows, and the commands that register, list and remove them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from hub.catalogue.store import CatalogueStore
from hub.demo.seed import record_types
from hub.documents import store as documents_store
from hub.documents.model import TrustedDocument
from hub.documents.rules import digest_of
from hub.documents.store import DocumentStore
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from tests.conftest import Databases

ROOT = Path(__file__).parents[2]
QUERY = "query PersonName($id: ResidentIdNumber!) { person(idNumber: $id) { name } }\n"
OTHER = "query PersonSex($id: ResidentIdNumber!) { person(idNumber: $id) { sex } }\n"


def document(text: str, name: str = "PersonName", id_: str | None = None) -> TrustedDocument:
    return TrustedDocument(id_ or digest_of(text), name, text, digest_of(text))


async def test_all_or_none(owner_database: Database, database: Database) -> None:
    store = DocumentStore(owner_database)
    await store.put([document(QUERY, id_="1")])
    with pytest.raises(HubError) as refused:
        await store.put([document(OTHER, "PersonSex"), document(OTHER, id_="1")])
    assert refused.value.problem.code is Code.TRUSTED_DOCUMENT_INVALID
    assert await DocumentStore(database).listed() == (document(QUERY, id_="1"),)


async def test_the_same_again_changes_nothing(owner_database: Database) -> None:
    store = DocumentStore(owner_database)
    for _ in range(2):
        await store.put([document(QUERY)])
    assert await store.listed() == (document(QUERY),)


async def test_there_are_not_too_many(owner_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_store, "MOST_DOCUMENTS", 1)
    store = DocumentStore(owner_database)
    await store.put([document(QUERY)])
    with pytest.raises(HubError):
        await store.put([document(OTHER, "PersonSex")])
    assert await store.listed() == (document(QUERY),)


async def test_serving_only_reads(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await DocumentStore(database).put([document(QUERY)])


async def test_removal_by_id_or_name(owner_database: Database) -> None:
    store = DocumentStore(owner_database)
    await store.put([document(QUERY), document(OTHER, "PersonSex")])
    assert await store.remove(digest_of(QUERY))
    assert await store.remove("PersonSex")
    assert not await store.remove("PersonSex")
    assert await store.listed() == ()


def hub(databases: Databases, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {
        **os.environ,
        "HUB_DATABASE_URL": databases.serving,
        "HUB_OWNER_DATABASE_URL": databases.owner,
        "HUB_DATA": str(folder / "data"),
    }
    command = [sys.executable, "-m", "hub", "documents", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


async def test_the_commands(databases: Databases, owner_database: Database, tmp_path: Path) -> None:
    for record in record_types().values():
        await CatalogueStore(owner_database).put_record_type(record)
    good, wrong = tmp_path / "good.graphql", tmp_path / "wrong.json"
    good.write_text(QUERY, encoding="utf-8")
    manifest = {"1": OTHER, "2": "{ person }", "3": "query A { __typename } query B { __typename }", "4": "{"}
    wrong.write_text(json.dumps(manifest), encoding="utf-8")

    added = hub(databases, tmp_path, "add", str(good))
    assert (added.returncode, added.stdout) == (0, f"sha256:{digest_of(QUERY)} PersonName\n"), added.stderr

    refused = hub(databases, tmp_path, "add", str(wrong))
    assert refused.returncode == 1
    told = [line for line in refused.stderr.splitlines() if not line.startswith(" ")]
    assert list(dict.fromkeys(told)) == ["2: HUB-111", "3: HUB-421", "4: HUB-110"]

    listed = hub(databases, tmp_path, "list", "--json")
    assert [(one["id"], one["name"], one["text"]) for one in json.loads(listed.stdout)] == [
        (digest_of(QUERY), "PersonName", QUERY)
    ]
    listed = hub(databases, tmp_path, "list")
    assert all(told in listed.stdout for told in ("PersonName", "fits the catalogue"))
    assert hub(databases, tmp_path, "remove", "PersonName").returncode == 0
    gone = hub(databases, tmp_path, "remove", "PersonName")
    assert (gone.returncode, "HUB-128" in gone.stderr) == (1, True)
    missing = hub(databases, tmp_path, "add", str(tmp_path / "nothing"))
    assert (missing.returncode, "HUB-421" in missing.stderr) == (1, True)


async def test_the_list_tells_which_query_is_answered_no_more(
    databases: Databases, owner_database: Database, tmp_path: Path
) -> None:
    await DocumentStore(owner_database).put(
        [document(QUERY), document("query Gone { person { wings } }", "Gone")]
    )
    listed = hub(databases, tmp_path, "list", "--json")
    states = {one["name"]: (one["problem"], one["answer"]) for one in json.loads(listed.stdout)}
    assert states == {"PersonName": (None, None), "Gone": ("HUB-423", "HUB-111")}
    table = hub(databases, tmp_path, "list").stdout
    assert "'Gone' no longer fits it (HUB-111)." in table
    assert "'PersonName'" not in table
