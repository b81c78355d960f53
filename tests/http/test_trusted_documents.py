"""Trusted documents: by id in both forms, sealed under that id, the only ones where the operator says so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from hub.asgi import application
from hub.documents.rules import digest_of
from hub.documents.service import DocumentService
from hub.documents.store import DocumentStore
from hub.evidence.model import Verdict
from hub.evidence.rules import verify_exchange
from hub.kernel.db import Database
from hub.kernel.errors import Code, Problem
from tests.graphql.conftest import PURPOSE, Counter, Reply
from tests.graphql.town import ANNA
from tests.http.conftest import trust, until_known

QUERY = "query PersonName($id: ResidentIdNumber!) { person(idNumber: $id) { name } }\n"
VARIABLES = {"id": ANNA}
PURPOSES = {"purpose": PURPOSE}


async def send(counter: Counter, **members: Any) -> Reply:
    return await counter.post(json.dumps({"variables": VARIABLES, "extensions": PURPOSES} | members).encode())


def verified(counter: Counter, reply: Reply, **request: Any) -> Verdict | Problem:
    exchange = {"request": {"variables": VARIABLES, "extensions": PURPOSES} | request, "response": reply.body}
    jwks = json.dumps(counter.hub.keyring.jwks()).encode()
    return verify_exchange(json.dumps(exchange).encode(), jwks)


def persisted(digest: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest}}


async def test_the_id_stands_for_the_text(counter: Counter, owner_database: Database) -> None:
    document = await trust(counter, owner_database, QUERY)
    assert (document.id, document.name) == (digest_of(QUERY), "PersonName")
    for id_ in (document.id, f"sha256:{document.id}"):
        reply = await send(counter, documentId=id_)
        assert reply.body["data"] == {"person": {"name": "安娜·阿依古丽"}}
        assert isinstance(verified(counter, reply, documentId=id_), Verdict)
        assert verified(counter, reply, documentId="another") == Problem(
            Code.RECEIPT_INVALID, {"part": "request"}
        )


async def test_apollos_form_is_sealed_too(counter: Counter, owner_database: Database) -> None:
    document = await trust(counter, owner_database, QUERY)
    extensions = PURPOSES | persisted(document.id)
    for more in ({}, {"query": QUERY}):
        reply = await send(counter, extensions=extensions, **more)
        verdict = verified(counter, reply, extensions=extensions, **more)
        assert isinstance(verdict, Verdict)
        assert verdict.uncovered == ()
        other = verified(counter, reply, extensions=PURPOSES | persisted("0" * 64), **more)
        assert other == Problem(Code.RECEIPT_INVALID, {"part": "request"})


async def test_a_manifest_has_ids_of_its_own(counter: Counter, owner_database: Database) -> None:
    document = await trust(counter, owner_database, QUERY, id_="5d41402abc4b2a76b9719d911017c592")
    for id_ in (document.id, document.digest):
        assert (await send(counter, documentId=id_)).status == 200


SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown id": ({"documentId": "0" * 64}, "HUB-128"),
    "an unknown id in Apollo's form": ({"extensions": persisted("0" * 64)}, "HUB-128"),
    "an id that is no text": ({"documentId": 1}, "HUB-105"),
    "another text than the id's": ({"documentId": digest_of(QUERY), "query": "{ __typename }"}, "HUB-105"),
    "two ids": ({"documentId": digest_of(QUERY), "extensions": persisted("0" * 64)}, "HUB-105"),
    "another version of Apollo's form": (
        {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "a"}}},
        "HUB-105",
    ),
    "Apollo's form of another shape": ({"extensions": {"persistedQuery": "a"}}, "HUB-105"),
    "neither": ({}, "HUB-105"),
}


@pytest.mark.parametrize(("members", "code"), SHAPES.values(), ids=SHAPES.keys())
async def test_what_is_no_id(
    counter: Counter, owner_database: Database, members: dict[str, Any], code: str
) -> None:
    await trust(counter, owner_database, QUERY)
    reply = await send(counter, **members)
    assert (reply.codes, reply.status) == ([code], 400)
    assert counter.town.asked == []


async def test_a_query_with_its_own_unregistered_hash_is_a_query(counter: Counter) -> None:
    extensions = PURPOSES | persisted(digest_of(QUERY))
    assert (await send(counter, query=QUERY, extensions=extensions)).status == 200
    assert (await send(counter, extensions=extensions)).codes == ["HUB-128"]  # it registered nothing


async def test_a_hub_may_answer_nothing_else(counter: Counter, owner_database: Database) -> None:
    document = await trust(counter, owner_database, QUERY)
    counter.hub = replace(counter.hub, settings=replace(counter.hub.settings, trusted_documents_only=True))
    counter.app = application(counter.hub, CollectorRegistry())
    refused = await send(counter, query=QUERY + " ")
    assert (refused.codes, refused.status) == (["HUB-147"], 403)
    assert (await send(counter, query="{ __schema { types { name } } }")).codes == ["HUB-147"]
    assert counter.town.asked == []
    assert (await send(counter, documentId=document.id)).status == 200
    assert (await send(counter, query=QUERY)).status == 200


async def test_a_removed_document_is_answered_no_more(counter: Counter, owner_database: Database) -> None:
    document = await trust(counter, owner_database, QUERY)
    service = DocumentService(DocumentStore(owner_database))
    assert await service.remove(f"sha256:{document.id}")
    assert not await service.remove(document.id)
    await until_known(counter, document.id, known=False)
    assert (await send(counter, documentId=document.id)).codes == ["HUB-128"]


async def test_a_name_goes_to_the_newest_text_and_the_id_stays(
    counter: Counter, owner_database: Database
) -> None:
    old = await trust(counter, owner_database, QUERY)
    new = await trust(counter, owner_database, QUERY.replace("{ name }", "{ name sex }"))
    trusted = counter.hub.documents.trusted
    assert trusted.by_name["PersonName"].digest == new.digest
    assert trusted.by_id[old.id].name is None
    assert (await send(counter, documentId=old.id)).status == 200


async def test_a_crowd_of_other_documents_drives_no_trusted_one_out(
    counter: Counter, owner_database: Database
) -> None:
    document = await trust(counter, owner_database, QUERY)
    await send(counter, documentId=document.id)
    contract, _ = counter.hub.answering.contract()
    kept = contract.documents.trusted[QUERY]
    for number in range(contract.documents.kept.newcomers + 100):
        contract.documents.read(f"{{ a{number}: __typename }}")
    assert contract.documents.trusted[QUERY] is kept
    assert len(contract.documents.kept) <= contract.documents.kept.newcomers
    assert len(contract.trusted_plans.kept) == 1
