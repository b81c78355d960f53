"""The trusted documents' rows: read with the serving connection, written with the owner's."""

from __future__ import annotations

from collections.abc import Iterable

from hub.documents.model import Trusted, TrustedDocument
from hub.documents.rules import MOST_DOCUMENTS, digest_of, indexed, mistake
from hub.kernel.db import Database, Session, load_statements
from hub.kernel.errors import HubError

STATEMENTS = load_statements("hub.documents")


class DocumentStore:
    """Reads and writes trusted documents."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def listed(self) -> tuple[TrustedDocument, ...]:
        """Every document, by name. Needs the serving role."""
        rows = await self.database.fetch(STATEMENTS["documents"])
        return tuple(
            TrustedDocument(row["id"], row["name"], row["text"], digest_of(row["text"])) for row in rows
        )

    async def read(self) -> Trusted:
        """Every document as it is found. Needs the serving role."""
        return indexed(await self.listed())

    async def put(self, documents: Iterable[TrustedDocument]) -> None:
        """Adds documents, all or none; each takes its name over from an older one. Needs the owner role.

        Raises HubError(TRUSTED_DOCUMENT_INVALID) when an id stands for another text already, or there
        would be too many.
        """
        async with self.database.transaction() as session:
            for document in documents:
                await _put(session, document)
            if int(str(await session.fetchval(STATEMENTS["count"]))) > MOST_DOCUMENTS:
                raise _refusal("file", f"at most {MOST_DOCUMENTS} trusted documents")

    async def remove(self, id_or_name: str) -> bool:
        """Removes one; False: there is none. Needs the owner role."""
        return await self.database.execute(STATEMENTS["remove"], id_or_name) != "DELETE 0"


async def _put(session: Session, document: TrustedDocument) -> None:
    await session.execute(STATEMENTS["release_name"], document.name, document.id)
    put = await session.execute(STATEMENTS["put_document"], document.id, document.name, document.text)
    if put != "INSERT 0 1":
        raise _refusal(document.name or document.id, "an id that stands for no other text")


def _refusal(part: str, rule: str) -> HubError:
    problem = mistake(part, rule)
    return HubError(problem.code, **problem.detail)
