"""Signing keys are made once, sealed, rotated without losing the old, and followed by every worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.keyring import Keyring
from hub.kernel.crypto.signing import Use
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError

ENVELOPE = Envelope(bytes(range(32)))
TYP = "hub-receipt+jwt"


async def started(database: Database, envelope: Envelope = ENVELOPE) -> Keyring:
    keyring = Keyring(database, envelope)
    await keyring.start()
    return keyring


async def soon(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(1):
        while True:
            if seen():
                return
            await asyncio.sleep(0.01)


def verified(token: str, keyring: Keyring) -> bytes:
    keys = KeySet.import_key_set(keyring.jwks())  # type: ignore[arg-type]
    return jws.deserialize_compact(token, keys, algorithms=["Ed25519"]).payload


async def test_each_use_has_a_key_of_its_own_and_both_are_published(database: Database) -> None:
    keyring = await started(database)
    (receipt,), (token,) = keyring.public_keys(Use.RECEIPT), keyring.public_keys(Use.TOKEN)
    assert receipt.jwk["x"] != token.jwk["x"]
    assert {key["kid"] for key in keyring.jwks()["keys"]} == {receipt.kid, token.kid}
    assert verified(keyring.sign(Use.RECEIPT, TYP, b"{}"), keyring) == b"{}"
    await keyring.stop()


async def test_a_restart_finds_the_same_keys(database: Database) -> None:
    first = await started(database)
    signed = first.sign(Use.RECEIPT, TYP, b"{}")
    second = await started(database)
    assert second.jwks() == first.jwks()
    assert second.sign(Use.RECEIPT, TYP, b"{}") == signed
    await asyncio.gather(first.stop(), second.stop())


async def test_workers_starting_together_agree_on_one_key_a_use(database_url: str) -> None:
    workers = [await Database.open(database_url) for _ in range(6)]
    keyrings = await asyncio.gather(*map(started, workers))
    assert all(keyring.jwks() == keyrings[0].jwks() for keyring in keyrings)
    assert len(keyrings[0].jwks()["keys"]) == len(Use)
    await asyncio.gather(*(keyring.stop() for keyring in keyrings))
    await asyncio.gather(*(worker.close() for worker in workers))


async def test_rotation_keeps_old_signatures_verifiable_and_signs_with_the_new_key(
    database: Database, owner_database: Database
) -> None:
    keyring = await started(database)
    before = keyring.sign(Use.RECEIPT, TYP, b"{}")
    other_use = keyring.public_keys(Use.TOKEN)
    kid = await Keyring(owner_database, ENVELOPE).rotate(Use.RECEIPT)
    await soon(lambda: len(keyring.public_keys(Use.RECEIPT)) == 2)
    after = keyring.sign(Use.RECEIPT, TYP, b"{}")
    assert jws.extract_compact(after.encode()).headers()["kid"] == kid
    assert verified(before, keyring) == verified(after, keyring) == b"{}"
    old, new = keyring.public_keys(Use.RECEIPT)
    assert (old.retired_at is None, new.retired_at is None, new.kid) == (False, True, kid)
    assert keyring.public_keys(Use.TOKEN) == other_use
    await keyring.stop()


async def test_another_master_key_opens_nothing_and_makes_no_second_key(database: Database) -> None:
    await (await started(database)).stop()
    with pytest.raises(HubError) as refused:
        await started(database, Envelope(bytes(32)))
    assert refused.value.problem.code is Code.KEY_UNREADABLE
    assert await database.fetchval("SELECT count(*) FROM kernel.signing_key") == len(Use)


async def test_private_parts_are_stored_sealed_and_each_in_its_own_place(
    database: Database, owner_database: Database
) -> None:
    await (await started(database)).stop()
    rows = await database.fetch("SELECT * FROM kernel.signing_key ORDER BY use")
    seeds = [
        ENVELOPE.open(row["sealed_private"], f"kernel.signing_key/{row['kid']}".encode()) for row in rows
    ]
    assert not any(seed in bytes(row["sealed_private"]) for seed, row in zip(seeds, rows, strict=True))
    assert not any('"d"' in row["public_jwk"] for row in rows)
    swap = "UPDATE kernel.signing_key SET sealed_private = $2 WHERE kid = $1"
    await owner_database.execute(swap, rows[0]["kid"], rows[1]["sealed_private"])
    with pytest.raises(HubError):
        await started(database)


async def test_serving_may_neither_change_nor_delete_a_key(database: Database) -> None:
    await (await started(database)).stop()
    for statement in ("UPDATE kernel.signing_key SET retired_at = now()", "DELETE FROM kernel.signing_key"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(statement)
