"""Notices trusted documents that the contract answers no more since the catalogue has changed."""

from __future__ import annotations

import asyncio

from hub.catalogue.model import Snapshot
from hub.documents.model import TrustedDocument
from hub.documents.service import DocumentService
from hub.kernel.errors import Code, Problem
from hub.kernel.log import get_log
from schema.build import Contract, Contracts
from schema.execution.document import Document, Documents
from schema.faults import problem_of

LOOK_SECONDS = 1.0  # between two looks whether anything has changed
BREATH_SECONDS = 0.01  # between two documents: questions go first


class Check:
    """Reads documents against one contract, and keeps none of them: most are seldom asked."""

    def __init__(self, contract: Contract) -> None:
        self._documents = Documents(contract.schema, most=0)

    def problem(self, document: TrustedDocument) -> Problem | None:
        """TRUSTED_DOCUMENT_STALE, its ``detail`` the number that a client is told; None: it is answered."""
        read = self._documents.read(document.text)
        if isinstance(read, Document):
            return None
        part, detail = document.name or document.id, problem_of(read[0]).code.label
        return Problem(Code.TRUSTED_DOCUMENT_STALE, {"part": part, "detail": detail})


class StaleDocuments:
    """Warns in the log, once, of each trusted document that a state of the catalogue leaves unanswered."""

    def __init__(self, contracts: Contracts, documents: DocumentService) -> None:
        self._contracts = contracts
        self._documents = documents
        self._snapshot: Snapshot | None = None
        self._checked: set[str] = set()  # digests, against the snapshot
        self._stale: set[str] = set()  # digests that the log has been told of
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Looks now, and from then on whenever documents or catalogue have changed."""
        self._looking = asyncio.create_task(self._keep_looking(), name="stale documents")

    async def stop(self) -> None:
        """Looks no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            self._looking = None

    async def look(self) -> None:
        """Checks what has not been checked against the present state of the catalogue."""
        snapshot = self._contracts.catalogue.active.snapshot
        if snapshot is not self._snapshot:
            self._snapshot, self._checked = snapshot, set()
        documents = self._documents.trusted.by_text.values()
        fresh = [one for one in documents if one.digest not in self._checked]
        if not fresh:
            return
        check = Check(self._contracts()[0])
        for document in fresh:
            self._note(document, check.problem(document))
            await asyncio.sleep(BREATH_SECONDS)

    def _note(self, document: TrustedDocument, problem: Problem | None) -> None:
        self._checked.add(document.digest)
        if problem is None:
            self._stale.discard(document.digest)
        elif document.digest not in self._stale:
            self._stale.add(document.digest)
            code, error = problem.code.label, problem.detail["detail"]
            get_log().warning("document_stale", code=code, operation=problem.detail["part"], error=error)

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 a look that ended here would be the last
                get_log().error("documents_unchecked", exc_info=True)
            await asyncio.sleep(LOOK_SECONDS)
