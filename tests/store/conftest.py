"""A file office over this test's database."""

from __future__ import annotations

import pytest

from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.staging.service import Sealing, StagedRows, StagingService
from hub.staging.store import StagingStore
from tests.store.file_office import (
    MASTER,
    FileOffice,
    Times,
)


@pytest.fixture
def file_office(database: Database, owner_database: Database) -> FileOffice:
    sealing, clock = Sealing(Envelope(MASTER), Pseudonyms(MASTER)), Times()
    staging = StagingService(StagingStore(owner_database), sealing, clock)
    return FileOffice(staging, StagedRows(StagingStore(database), sealing), clock, owner_database)
