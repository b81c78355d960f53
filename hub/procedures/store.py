"""The procedures' rows: read with the serving connection, written with the owner's."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.audit.model import ProcedureCode
from hub.kernel.db import Database, load_statements
from hub.procedures.model import Procedure

STATEMENTS = load_statements("hub.procedures")


class ProcedureStore:
    """Reads and writes procedures."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def read(self) -> Mapping[ProcedureCode, Procedure]:
        """Every procedure by its code. Needs the serving role."""
        rows = await self.database.fetch(STATEMENTS["procedures"])
        return MappingProxyType({row["code"]: Procedure(*row) for row in rows})

    async def put(self, procedure: Procedure) -> None:
        """Adds or replaces one. Needs the owner role."""
        row = (procedure.code, procedure.name_zh, procedure.name_en, procedure.agency)
        await self.database.execute(STATEMENTS["put_procedure"], *row)
