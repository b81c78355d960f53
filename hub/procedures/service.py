"""Knows which procedures exist."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.audit.model import ProcedureCode
from hub.kernel.watch import Watched
from hub.procedures.model import Procedure
from hub.procedures.store import ProcedureStore

CHANNEL = "procedures"


class ProcedureService:
    """Answers from memory once started; a change is seen within a second in every worker."""

    def __init__(self, store: ProcedureStore) -> None:
        self._store = store
        nothing: Mapping[ProcedureCode, Procedure] = MappingProxyType({})
        self._procedures = Watched(store.database, CHANNEL, store.read, nothing)

    async def start(self) -> None:
        """Reads all and follows changes. Raises HubError(STORE_UNAVAILABLE)."""
        await self._procedures.start()

    async def stop(self) -> None:
        """Ends the following of changes."""
        await self._procedures.stop()

    def find(self, code: ProcedureCode) -> Procedure | None:
        """The procedure with this code, or None."""
        return self._procedures.value.get(code)

    async def put(self, procedure: Procedure) -> None:
        """Adds or replaces a procedure. Needs the owner's connection."""
        await self._store.put(procedure)
