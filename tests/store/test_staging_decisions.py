"""Which files are taken, which wait for an officer, and which are refused."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Ask
from connectors.files import FilesConnector
from connectors.files_reasons import Reason
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database, Session
from hub.kernel.errors import Code, HubError
from hub.staging import service as staging_service
from hub.staging.model import Delivery, Doubt, LoadState
from hub.staging.service import Sealing, StagedRows
from hub.staging.store import StagingStore
from tests.connectors import files_samples as samples
from tests.connectors.files_samples import ANNA, BERTA, ROWS
from tests.store.file_office import (
    CONTROLLED,
    MASTER,
    NOBODY,
    SUNDAY,
    WEEKLY,
    FileOffice,
    drop,
    numbers,
    people,
)


def control(content: bytes, **changed: object) -> bytes:
    said = {
        "file": '"shebao-1.csv"',
        "sha256": f'"{hashlib.sha256(content).hexdigest()}"',
        "rows": 2,
        "as_of": "2026-11-21",
    } | changed
    return "".join(f"{name} = {value}\n" for name, value in said.items()).encode()


async def test_the_control_file_says_how_old_it_is(file_office: FileOffice) -> None:
    declared = samples.manifest(a=CONTROLLED)
    loaded = await file_office.load(declared, samples.csv(), control=control(samples.csv()))
    assert loaded.state is LoadState.SERVING
    assert (await file_office.ask(declared, ANNA)).as_of == datetime(2026, 11, 20, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sha256": f'"{"0" * 64}"'}, Reason.CHECKSUM),
        ({"rows": 3}, Reason.ROW_COUNT),
        ({"file": '"shebao-2.csv"'}, Reason.CONTROL),
        ({"more": 1}, Reason.CONTROL),
        ({"as_of": '"yesterday"'}, Reason.CONTROL),
        ({"as_of": "2026-11-30"}, Reason.FUTURE),
        (None, Reason.CONTROL),
    ],
)
async def test_what_the_control_file_contradicts_is_not_loaded(
    file_office: FileOffice, changed: dict[str, object] | None, reason: Reason
) -> None:
    declared = samples.manifest(a=CONTROLLED)
    said = None if changed is None else control(samples.csv(), **changed)
    loaded = await file_office.load(declared, samples.csv(), control=said)
    assert (loaded.state, [bad.reason for bad in loaded.reasons]) == (LoadState.REFUSED, [reason])
    assert await file_office.count() == 0


async def test_a_late_file_makes_it_unavailable_and_never_absent(file_office: FileOffice) -> None:
    declared = samples.manifest(a=WEEKLY)
    await file_office.load(declared, samples.csv())
    file_office.clock.at += timedelta(days=8)
    assert await file_office.names(declared, ANNA, NOBODY) == {ANNA: "王安娜", NOBODY: None}
    file_office.clock.at += timedelta(seconds=1)
    assert await file_office.names(declared, ANNA, NOBODY) == {ANNA: "late", NOBODY: "late"}
    connector = FilesConnector(declared, file_office.rows, file_office.clock.now)
    fault = await connector.health(1e12)
    assert fault is not None
    assert fault.outcome == "unavailable"
    await file_office.load(declared, samples.csv(ROWS))
    assert await file_office.names(declared, ANNA) == {ANNA: "王安娜"}


async def test_a_file_that_shrinks_waits_for_the_officer(file_office: FileOffice) -> None:
    declared = samples.manifest(a=WEEKLY)
    await file_office.load(declared, people(100))
    assert (await file_office.load(declared, people(80))).state is LoadState.SERVING
    waiting = await file_office.load(declared, people(63))
    assert (waiting.state, waiting.doubts) == (LoadState.WAITING, (Doubt.SHRUNK,))
    last, lost = list(numbers(80))[62], list(numbers(80))[63]
    assert await file_office.names(declared, lost) == {lost: "王"}, "the old one serves"
    accepted = await file_office.staging.accept(waiting.id, "li.na", drop(declared).place.mapping)
    assert (accepted.state, accepted.decided_by) == (LoadState.SERVING, "li.na")
    assert await file_office.names(declared, last, lost) == {last: "王", lost: None}
    assert await file_office.count() == 63


async def test_a_rejected_file_leaves_nothing(file_office: FileOffice) -> None:
    declared = samples.manifest(a=WEEKLY)
    await file_office.load(declared, people(100))
    waiting = await file_office.load(declared, people(10))
    assert await file_office.count() == 110
    rejected = await file_office.staging.reject(waiting.id, "li.na")
    assert (rejected.state, await file_office.count()) == (LoadState.REJECTED, 100)
    for decide in (
        file_office.staging.reject(waiting.id, "li.na"),
        file_office.staging.accept(waiting.id, "li.na", ""),
    ):
        with pytest.raises(HubError) as refused:
            await decide
        assert refused.value.problem.code is Code.LOAD_UNKNOWN


async def test_an_empty_first_file_waits_too(file_office: FileOffice) -> None:
    assert (await file_office.load(samples.manifest(), samples.csv([]))).doubts == (Doubt.SHRUNK,)


async def test_older_data_waits(file_office: FileOffice) -> None:
    declared = samples.manifest()
    await file_office.load(declared, samples.csv())
    older = await file_office.load(declared, samples.csv(ROWS), as_of=SUNDAY - timedelta(days=7))
    assert (older.state, older.doubts) == (LoadState.WAITING, (Doubt.OLDER,))


async def test_another_mapping_voids_what_was_loaded(file_office: FileOffice) -> None:
    await file_office.load(samples.manifest(), samples.csv())
    changed = samples.manifest(a='"YYYY/M/D"|"YYYY/MM/DD"')
    assert await file_office.names(changed, ANNA, NOBODY) == {ANNA: "late", NOBODY: "late"}
    slower = samples.manifest(a='format = "csv"|format = "csv"\nevery = "P30D"\nmax_rows = 5')
    assert await file_office.names(slower, ANNA) == {ANNA: "王安娜"}, "a rhythm changes no row"
    swapped = samples.manifest(
        a='name = "姓名"\nsex|sex', b='date = "YYYY/M/D" }|date = "YYYY/M/D" }\nname = "姓名"'
    )
    assert await file_office.names(swapped, ANNA) == {ANNA: "late"}, "nor may columns change places"


async def test_a_waiting_file_of_another_mapping_cannot_be_accepted(file_office: FileOffice) -> None:
    waiting = await file_office.load(samples.manifest(), samples.csv([]))
    with pytest.raises(HubError):
        await file_office.staging.accept(waiting.id, "li.na", "another")


async def test_the_same_file_again_is_nothing_new(file_office: FileOffice) -> None:
    declared = samples.manifest()
    first = await file_office.load(declared, samples.csv())
    assert (await file_office.load(declared, samples.csv())).id == first.id
    assert await file_office.count("load") == 1


async def test_a_new_file_takes_the_old_ones_place_and_its_rows_go(file_office: FileOffice) -> None:
    declared = samples.manifest()
    await file_office.load(declared, samples.csv())
    file_office.clock.at += timedelta(days=1)
    await file_office.load(declared, samples.csv([(ANNA, "王安妮", "2", "1949/12/31"), ROWS[1]]))
    assert await file_office.names(declared, ANNA) == {ANNA: "王安妮"}
    assert await file_office.count() == 2
    states = [load.state for load in await file_office.staging.loads()]
    assert states == [LoadState.SERVING, LoadState.REPLACED]


async def test_whoever_asks_sees_one_load_or_the_other(file_office: FileOffice) -> None:
    declared = samples.manifest()
    await file_office.load(
        declared, samples.csv([(ANNA, "1", "1", "1949/12/31"), (BERTA, "1", "1", "1949/12/31")])
    )
    seen: list[dict[str, object]] = []

    async def ask_on() -> None:
        while True:
            seen.append(await file_office.names(declared, ANNA, BERTA))

    asking = asyncio.create_task(ask_on())
    for round_ in range(2, 12):
        file_office.clock.at += timedelta(minutes=1)
        name = str(round_)
        await file_office.load(
            declared, samples.csv([(ANNA, name, "1", "1949/12/31"), (BERTA, name, "1", "1949/12/31")])
        )
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert len({answer[ANNA] for answer in seen}) > 1
    assert all(answer[ANNA] == answer[BERTA] for answer in seen)


async def breaks(*_given: object) -> None:
    raise asyncio.CancelledError


async def dies(_store: StagingStore, session: Session, *_given: object) -> None:
    await session.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("ends", [breaks, dies])
@pytest.mark.parametrize("where", ["repeated", "retire", "add", "announce"])
async def test_what_ends_in_the_middle_leaves_the_old_one_and_no_rubbish(
    file_office: FileOffice, monkeypatch: pytest.MonkeyPatch, where: str, ends: object
) -> None:
    declared = samples.manifest()
    await file_office.load(declared, samples.csv())
    monkeypatch.setattr(staging_service, "CHUNK", 10)
    file_office.clock.at += timedelta(days=1)
    with monkeypatch.context() as patched:
        patched.setattr(StagingStore, where, ends)
        with pytest.raises((asyncio.CancelledError, HubError)):
            await file_office.load(declared, people(50))
    assert await file_office.names(declared, ANNA) == {ANNA: "王安娜"}
    assert (await file_office.count(), await file_office.count("load")) == (2, 1)
    assert (await file_office.load(declared, people(50))).rows == 50


async def test_of_two_who_load_at_once_one_does(file_office: FileOffice, owner_database: Database) -> None:
    declared = samples.manifest()
    loads = await asyncio.gather(
        *(
            file_office.staging.load(drop(declared), Delivery("a.csv", io.BytesIO(people(3_000)), SUNDAY))
            for _ in range(4)
        )
    )
    assert len({load.id for load in loads if load is not None}) == 1
    assert await file_office.count() == 3_000


async def test_a_file_that_changed_while_it_was_read_is_not_loaded(file_office: FileOffice) -> None:
    loaded = await file_office.load(samples.manifest(), samples.csv(), is_whole=lambda: False)
    assert [bad.reason for bad in loaded.reasons] == [Reason.CHANGED]


async def test_a_file_too_large_is_not_even_read(file_office: FileOffice) -> None:
    small = samples.manifest(a='format = "csv"|format = "csv"\nmax_bytes = 20')
    loaded = await file_office.load(small, samples.csv())
    assert [bad.reason for bad in loaded.reasons] == [Reason.TOO_LARGE]


async def test_what_became_of_files_is_not_kept_for_ever(
    file_office: FileOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging_service, "KEPT", 3)
    declared = samples.manifest()
    first = await file_office.load(declared, samples.csv())
    for _ in range(6):
        await file_office.load(declared, b"x")
    known = await file_office.staging.loads()
    assert len(known) == 4
    assert known[-1].id == first.id, "what serves is kept however old it is"


async def test_a_database_that_is_away_is_no_answer(file_office: FileOffice) -> None:
    declared = samples.manifest()
    away = await Database.open("postgresql://a:b@127.0.0.1:1/hub", timeout=0.5)
    rows = StagedRows(StagingStore(away), Sealing(Envelope(MASTER), Pseudonyms(MASTER)))
    answer = await FilesConnector(declared, rows, file_office.clock.now).fetch(
        Ask("insurance", (ANNA,), ("name",), (), 1e12, "c")
    )
    assert answer.faults[ANNA].kind == "unreachable"
    await away.close()


async def test_what_an_agency_does_not_give_is_refused(file_office: FileOffice) -> None:
    declared = samples.manifest(
        a='date = "YYYY/M/D" }|date = "YYYY/M/D" }\n[[offerings.outcomes]]\nrow = true\npath = "姓名"\n'
        'equals = "保密"\noutcome = "refused"\n[[offerings.outcomes]]\nrow = true\npath = "姓名"\n'
        'equals = "注销"\noutcome = "absent"\n[[offerings.outcomes]]\nrow = true\npath = "姓名"\n'
        'present = true\noutcome = "found"'
    )
    secret, gone, there = list(numbers(3))
    rest = ("1", "1990/3/7")
    await file_office.load(
        declared, samples.csv([(secret, "保密", *rest), (gone, "注销", *rest), (there, "王", *rest)])
    )
    assert await file_office.names(declared, secret, gone, there) == {
        secret: "refused",
        gone: None,
        there: "王",
    }


@pytest.mark.slow
async def test_many_rows_are_loaded_in_bounded_memory_and_time(file_office: FileOffice) -> None:
    content = people(200_000)
    tracemalloc.start()
    began = asyncio.get_running_loop().time()
    loaded = await file_office.load(samples.manifest(), content)
    seconds = asyncio.get_running_loop().time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (loaded.state, loaded.rows) == (LoadState.SERVING, 200_000)
    assert peak < 50_000_000, peak
    assert seconds < 300, seconds
