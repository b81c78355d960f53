"""An officer who loads files, and the connector that answers from them as the serving role."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from connectors.contract import Answer, Ask
from connectors.files import FilesConnector
from connectors.manifest import Manifest
from hub.catalogue.model import FieldType
from hub.kernel.db import Database
from hub.staging.model import Delivery, Drop, Load
from hub.staging.rules import key_reader
from hub.staging.service import StagedRows, StagingService
from hub.subjects.rules import check_digit_resident_id
from tests.connectors import files_samples as samples

MASTER = b"m" * 32
SUNDAY = datetime(2026, 11, 22, 16, tzinfo=UTC)
WEEKLY = 'format = "csv"|format = "csv"\nevery = "P7D"\ntolerance = "P1D"\nshrink = "20%"'
CONTROLLED = 'format = "csv"|format = "csv"\ncontrol = true'
NOBODY = "110101199003070011"


@dataclass
class Times:
    """A clock that stands still until it is moved."""

    at: datetime = SUNDAY

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass
class FileOffice:
    """Loads files with the owner's connection, answers with the serving one."""

    staging: StagingService
    rows: StagedRows
    clock: Times
    owner: Database

    async def load(self, declared: Manifest, content: bytes, **changed: object) -> Load:
        delivery = Delivery("shebao-1.csv", io.BytesIO(content), self.clock.at)
        loaded = await self.staging.load(drop(declared), replace(delivery, **changed))  # type: ignore[arg-type]
        assert loaded is not None
        return loaded

    async def ask(self, declared: Manifest, *keys: str, columns: tuple[str, ...] = ("name",)) -> Answer:
        connector = FilesConnector(declared, self.rows, self.clock.now)
        return await connector.fetch(Ask("insurance", keys, columns, (), 1e12, "c-1"))

    async def names(self, declared: Manifest, *keys: str) -> dict[str, object]:
        """By key the name, None where there is no record, or the kind of fault."""
        answer = await self.ask(declared, *keys)
        told: dict[str, object] = {key: why.kind for key, why in answer.faults.items()}
        return told | {key: rows[0][0] if rows else None for key, rows in answer.rows.items()}

    async def count(self, table: str = "row") -> object:
        return await self.owner.fetchval(f"SELECT count(*) FROM staging.{table}")


def drop(declared: Manifest) -> Drop:
    return Drop(declared.id, *samples.offered(declared), key_reader(FieldType.RESIDENT_ID))


def people(count: int) -> bytes:
    """A file of as many different people."""
    return samples.csv([(number, "王", "1", "1990/3/7") for number in numbers(count)])


def numbers(count: int) -> Iterator[str]:
    for serial in range(count):
        day = date(1950, 1, 1) + timedelta(days=serial // 1000)
        body = f"370303{day:%Y%m%d}{serial % 1000:03}"
        yield body + check_digit_resident_id(body)
