"""Procedures and regions are known from memory, and a change is seen in every worker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import pytest

from hub.audit.model import AgencyCode, ProcedureCode
from hub.kernel.db import Database
from hub.procedures.model import Procedure
from hub.procedures.service import ProcedureService
from hub.procedures.store import ProcedureStore
from hub.regions.model import Region, RegionCode
from hub.regions.service import RegionService
from hub.regions.store import RegionStore

PHARMACY = Procedure(
    ProcedureCode("11370300MB2841234X4370172002000"), "药品零售企业许可", "Licence to retail drugs"
)
CITY, DISTRICT = RegionCode("370300"), RegionCode("370303")
ZIBO = (Region(DISTRICT, "张店区", CITY), Region(CITY, "淄博市", None))


async def soon(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(1):
        while True:
            if seen():
                return
            await asyncio.sleep(0.01)


async def test_a_new_and_a_changed_procedure_are_found_within_a_second(
    database: Database, owner_database: Database
) -> None:
    procedures = ProcedureService(ProcedureStore(database))
    await procedures.start()
    assert procedures.find(PHARMACY.code) is None
    office = ProcedureService(ProcedureStore(owner_database))
    await office.put(PHARMACY)
    await soon(lambda: procedures.find(PHARMACY.code) == PHARMACY)
    changed = Procedure(
        PHARMACY.code, "药品经营许可（零售）", PHARMACY.name_en, AgencyCode("11370300MB2841234X")
    )
    await office.put(changed)
    await soon(lambda: procedures.find(PHARMACY.code) == changed)
    await procedures.stop()


async def test_what_was_stored_before_the_start_is_found(
    database: Database, owner_database: Database
) -> None:
    await ProcedureStore(owner_database).put(PHARMACY)
    procedures = ProcedureService(ProcedureStore(database))
    await procedures.start()
    assert procedures.find(PHARMACY.code) == PHARMACY
    assert procedures.find(ProcedureCode("unknown")) is None
    await procedures.stop()


async def test_regions_are_found_with_their_parents_in_whatever_order_they_came(
    database: Database, owner_database: Database
) -> None:
    regions = RegionService(RegionStore(database))
    await regions.start()
    await RegionService(RegionStore(owner_database)).put(ZIBO)
    await soon(lambda: regions.find(DISTRICT) is not None)
    district = regions.find(DISTRICT)
    assert district == Region(DISTRICT, "张店区", CITY)
    assert regions.find(CITY) == Region(CITY, "淄博市")
    assert regions.find(RegionCode("999999")) is None
    await regions.stop()


async def test_a_region_without_its_parent_is_refused(owner_database: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await RegionStore(owner_database).put([ZIBO[0]])


@pytest.mark.parametrize("code", ["", "37030", "3703031", "37030X"])
async def test_only_codes_of_six_nine_or_twelve_digits_are_regions(
    owner_database: Database, code: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await RegionStore(owner_database).put([Region(RegionCode(code), "某区")])


async def test_the_serving_role_reads_only(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ProcedureStore(database).put(PHARMACY)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await RegionStore(database).put(ZIBO)
