"""The clients' rows: read with the serving connection, written with the owner's, but for used assertions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from hub.audit.model import ClientId
from hub.clients.model import Client, SecretDigest
from hub.clients.rules import key_id
from hub.kernel.db import Database, load_statements

STATEMENTS = load_statements("hub.clients")
SALT_BYTES = 16


class ClientStore:
    """Reads and writes clients."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self) -> Mapping[ClientId, Client]:
        """Every client by its id, in one consistent reading. Needs the serving role."""
        rows = await self.database.fetch(STATEMENTS["clients"])
        clients = (
            Client(
                row["id"],
                row["name"],
                frozenset(row["agencies"]),
                frozenset(row["rights"]),
                row["suspended"],
                tuple(SecretDigest(stored[:SALT_BYTES], stored[SALT_BYTES:]) for stored in row["secrets"]),
                tuple(MappingProxyType(json.loads(key)) for key in row["keys"]),
                row["cost_limit"],
            )
            for row in rows
        )
        return MappingProxyType({client.id: client for client in clients})

    async def put(self, client: Client) -> None:
        """Adds a client or replaces all of it but its secrets. Needs the owner role."""
        keys = [(client.id, key_id(key), json.dumps({**key, "kid": key_id(key)})) for key in client.keys]
        async with self.database.transaction() as session:
            await session.execute(STATEMENTS["put_client"], client.id, client.name, sorted(client.rights))
            await session.execute(STATEMENTS["drop_delegations"], client.id)
            await session.executemany(
                STATEMENTS["add_delegation"], [(client.id, agency) for agency in sorted(client.agencies)]
            )
            await session.execute(STATEMENTS["drop_keys"], client.id)
            await session.executemany(STATEMENTS["add_key"], keys)

    async def roll_secret(self, client: ClientId, secret: SecretDigest) -> bool:
        """Adds a secret and keeps only the newest before it; False: no such client. Needs the owner role."""
        async with self.database.transaction() as session:
            if await session.fetchrow(STATEMENTS["lock_client"], client) is None:
                return False
            await session.execute(STATEMENTS["drop_older_secrets"], client)
            await session.execute(STATEMENTS["add_secret"], client, secret.salt, secret.digest)
            return True

    async def suspend(self, client: ClientId, suspended: bool) -> bool:
        """Sets whether a client is suspended; False: no such client. Needs the owner role."""
        return await self.database.execute(STATEMENTS["suspend"], client, suspended) == "UPDATE 1"

    async def limit_cost(self, client: ClientId, limit: int | None) -> bool:
        """Sets what one of a client's questions may cost; False: no such client. Needs the owner role."""
        return await self.database.execute(STATEMENTS["limit_cost"], client, limit) == "UPDATE 1"

    async def use_assertion(self, client: ClientId, digest: bytes, expires_at: datetime) -> bool:
        """Remembers an assertion as used, durably; False: it was used before. Needs the serving role."""
        tag = await self.database.execute(STATEMENTS["use_assertion"], client, digest, expires_at)
        return tag == "INSERT 0 1"

    async def forget_assertions(self, now: datetime) -> None:
        """Deletes what has expired, unless another worker is doing so. Needs the serving role."""
        await self.database.execute(STATEMENTS["forget_assertions"], now)
