"""Keeps the hub's signing keys: one active key a use, retired ones published still, private parts sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.signing import ALGORITHM, PublicKey, Signer, Use, new_key
from hub.kernel.db import Database, Session, load_statements
from hub.kernel.watch import Watched

STATEMENTS = load_statements("hub.kernel.crypto")
CHANNEL = "signing_key"


@dataclass(frozen=True, slots=True)
class Keys:
    """One state of the key table: the signer of each use, and every published key, oldest first."""

    signers: Mapping[Use, Signer]
    published: tuple[PublicKey, ...]


class Keyring:
    """Signs and publishes. Serving may SELECT and INSERT in kernel.signing_key; rotation needs the owner."""

    def __init__(self, database: Database, envelope: Envelope) -> None:
        self._database = database
        self._envelope = envelope
        self._keys = Watched(database, CHANNEL, self._read, Keys(MappingProxyType({}), ()))

    async def start(self) -> None:
        """Makes missing keys (workers starting together agree on one), reads all, and follows changes.

        Raises HubError(KEY_UNREADABLE) when the keys were sealed under another master key.
        """
        async with self._database.transaction() as session:
            await session.execute(STATEMENTS["lock_signing_keys"])
            rows = await session.fetch(STATEMENTS["signing_keys"])
            active = {row["use"] for row in rows if row["retired_at"] is None}
            for use in Use:
                if use not in active:
                    await self._add(session, use)
        await self._keys.start()

    async def stop(self) -> None:
        """Ends the following of changes."""
        await self._keys.stop()

    async def rotate(self, use: Use) -> str:
        """Retires the active key of a use; returns the kid of a new one. Old signatures stay verifiable."""
        async with self._database.transaction() as session:
            await session.execute(STATEMENTS["lock_signing_keys"])
            await session.execute(STATEMENTS["retire_signing_keys"], use.value)
            return await self._add(session, use)

    def sign(self, use: Use, typ: str, payload: bytes) -> str:
        """Compact JWS over ``payload`` (bytes of JSON claims) by the active key of ``use``."""
        return self._keys.value.signers[use].sign(typ, payload)

    def public_keys(self, use: Use) -> tuple[PublicKey, ...]:
        """Every key that ever signed for ``use``, oldest first."""
        return tuple(key for key in self._keys.value.published if key.use is use)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The published JWK set (RFC 7517) of all uses, retired keys included, newest first."""
        return {"keys": [dict(key.jwk) for key in reversed(self._keys.value.published)]}

    async def _add(self, session: Session, use: Use) -> str:
        public, private = new_key(use)
        sealed = self._envelope.seal(private, _place(public.kid))
        jwk = json.dumps(dict(public.jwk))
        await session.execute(STATEMENTS["add_signing_key"], public.kid, use.value, ALGORITHM, jwk, sealed)
        return public.kid

    async def _read(self) -> Keys:
        signers: dict[Use, Signer] = {}
        published: list[PublicKey] = []
        for row in await self._database.fetch(STATEMENTS["signing_keys"]):
            use = Use(row["use"])
            jwk = MappingProxyType(json.loads(row["public_jwk"]))
            published.append(PublicKey(row["kid"], use, jwk, row["retired_at"]))
            if row["retired_at"] is None:
                private = self._envelope.open(row["sealed_private"], _place(row["kid"]))
                signers[use] = Signer(row["kid"], private)
        return Keys(MappingProxyType(signers), tuple(published))


def _place(kid: str) -> bytes:
    return f"kernel.signing_key/{kid}".encode()
