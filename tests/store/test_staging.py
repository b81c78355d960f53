"""Files that agencies hand over: loaded whole or not at all, kept sealed, swapped in one step."""

from __future__ import annotations

import hashlib

import asyncpg
import pytest

from connectors.files_reasons import Bad, Reason
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from hub.staging.model import LoadState
from tests.connectors import files_samples as samples
from tests.connectors.files_samples import ANNA, BERTA, ROWS
from tests.store.file_office import (
    NOBODY,
    SUNDAY,
    FileOffice,
    numbers,
)


async def test_what_is_loaded_is_answered_with(file_office: FileOffice) -> None:
    declared = samples.manifest()
    assert await file_office.names(declared, ANNA) == {ANNA: "late"}, "nothing loaded is not nobody there"
    loaded = await file_office.load(declared, samples.csv())
    assert (loaded.state, loaded.rows) == (LoadState.SERVING, 2)
    assert await file_office.names(declared, ANNA, BERTA, NOBODY) == {
        ANNA: "王安娜",
        BERTA: "欧阳·贝",
        NOBODY: None,
    }
    answer = await file_office.ask(declared, ANNA, columns=("birth_date", "id_number", "sex"))
    assert answer.rows == {ANNA: (("1949-12-31", ANNA, "2"),)}
    assert answer.as_of == SUNDAY


async def test_nothing_of_it_can_be_read_in_the_database(file_office: FileOffice) -> None:
    await file_office.load(samples.manifest(), samples.csv())
    rows = await file_office.owner.fetch("SELECT row::text AS content, sealed FROM staging.row")
    loads = await file_office.owner.fetch(
        "SELECT load::text AS content, sealed_key AS sealed FROM staging.load"
    )
    for row in (*rows, *loads):
        for value in (ANNA, BERTA, "王安娜", "1949"):
            assert value not in row["content"]
            assert value.encode() not in row["sealed"]
            assert hashlib.sha256(value.encode()).hexdigest() not in row["content"]


async def test_rows_cannot_change_places(file_office: FileOffice) -> None:
    declared = samples.manifest()
    await file_office.load(declared, samples.csv())
    await file_office.owner.execute(
        "UPDATE staging.row SET sealed = other.sealed FROM staging.row AS other WHERE row.line <> other.line"
    )
    with pytest.raises(HubError) as refused:
        await file_office.ask(declared, ANNA)
    assert refused.value.problem.code is Code.KEY_UNREADABLE


async def test_the_serving_role_only_reads(database: Database) -> None:
    for table in ("load", "row"):
        await database.fetch(f"SELECT * FROM staging.{table}")
        for statement in (
            f"DELETE FROM staging.{table}",
            f"UPDATE staging.{table} SET line = 1" if table == "row" else "UPDATE staging.load SET bad = 1",
            "INSERT INTO staging.row VALUES (1, '', 1, '')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.execute(statement)


async def test_one_bad_row_and_nothing_is_loaded(file_office: FileOffice) -> None:
    declared = samples.manifest()
    await file_office.load(declared, samples.csv())
    wrong = (BERTA, "贝", "3", "1991/2/30"), ("110105194912310020", "丙", "1", "2000/1/1")
    bad = samples.csv([*ROWS[:1], *wrong])
    loaded = await file_office.load(declared, bad)
    assert loaded.state is LoadState.REFUSED
    assert loaded.bad == 3
    assert loaded.reasons == (
        Bad(Reason.FORM, 3, "性别"),
        Bad(Reason.FORM, 3, "出生日期"),
        Bad(Reason.KEY_WRONG, 4, "证件号码"),
    )
    assert await file_office.names(declared, ANNA, BERTA) == {ANNA: "王安娜", BERTA: "欧阳·贝"}
    assert await file_office.count() == 2
    (refused, _) = await file_office.staging.loads()
    assert refused.reasons == loaded.reasons, "and it is written down"


async def test_all_bad_rows_are_counted_and_the_first_told(file_office: FileOffice) -> None:
    bad = samples.csv([(number, "王", "9", "1990/3/7") for number in numbers(500)])
    loaded = await file_office.load(samples.manifest(), bad)
    assert (loaded.bad, len(loaded.reasons)) == (500, 100)


async def test_no_value_stands_in_what_is_told(file_office: FileOffice) -> None:
    wrong = ("110105194912310020", "不可说", "不可说", "不可说")
    loaded = await file_office.load(samples.manifest(), samples.csv([wrong]))
    assert loaded.bad == 3
    written = await file_office.owner.fetchval("SELECT load::text FROM staging.load")
    for value in wrong:
        assert value not in repr(loaded) + str(written)


async def test_a_key_stands_once_where_one_row_is_promised(file_office: FileOffice) -> None:
    twice = samples.csv([*ROWS, (ANNA, "王安娜", "2", "1949/12/31")])
    loaded = await file_office.load(samples.manifest(), twice)
    assert loaded.reasons == (Bad(Reason.KEY_TWICE, 4, "证件号码"),)
    assert await file_office.count() == 0
    several = samples.manifest(a='freshness = "P1D"|freshness = "P1D"\nmany = true')
    assert (await file_office.load(several, twice)).state is LoadState.SERVING
    assert len((await file_office.ask(several, ANNA)).rows[ANNA]) == 2


async def test_a_small_x_is_the_same_number(file_office: FileOffice) -> None:
    declared = samples.manifest()
    await file_office.load(declared, samples.csv([(ANNA.lower(), *ROWS[0][1:])]))
    assert await file_office.names(declared, ANNA) == {ANNA: "王安娜"}
