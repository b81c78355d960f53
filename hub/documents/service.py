"""Registers trusted documents, and knows them when they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from hub.documents.model import Trusted, TrustedDocument
from hub.documents.rules import SHA256
from hub.documents.store import DocumentStore
from hub.kernel.watch import Watched

CHANNEL = "documents"
NOTHING = Trusted(MappingProxyType({}), MappingProxyType({}), MappingProxyType({}))


class DocumentService:
    """Answers from memory once started; a change is seen within a second in every worker."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._documents = Watched(store.database, CHANNEL, store.read, NOTHING)

    @property
    def trusted(self) -> Trusted:
        """The documents as they are now; hold on to it for the length of a request."""
        return self._documents.value

    async def start(self) -> None:
        """Reads all and follows changes. Raises HubError(STORE_UNAVAILABLE)."""
        await self._documents.start()

    async def stop(self) -> None:
        """Ends the following of changes."""
        await self._documents.stop()

    async def add(self, documents: Sequence[TrustedDocument]) -> None:
        """Registers documents that the contract has been found to answer, all or none.

        Needs the owner's connection. Raises HubError(TRUSTED_DOCUMENT_INVALID).
        """
        await self._store.put(documents)

    async def remove(self, id_or_name: str) -> bool:
        """Removes the document with this id (also behind ``sha256:``) or name; False: there is none.

        Needs the owner's connection.
        """
        return await self._store.remove(id_or_name.removeprefix(SHA256))

    async def listed(self) -> tuple[TrustedDocument, ...]:
        """Every document, read now, by name."""
        return await self._store.listed()
