"""The demo's agencies over real sockets: through the hub's own connectors, in every mood, to their end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from connectors.contract import Ask, Outcome
from connectors.faults import Kind
from connectors.manifest import Manifest, read
from connectors.opening import open_connector
from hub.demo.build import ensure_city, market_server
from hub.demo.city import LEAST_PEOPLE, City
from hub.demo.control import ask
from hub.demo.place import PORTS, Made, Place
from hub.demo.seed import credentials, manifest
from hub.demo.supervisor import Supervisor
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.errors import HubError
from hub.subjects.rules import check_digit_resident_id
from tests.acceptance.demo_town import Desk, Silent, draw, free_base

OWNER, PHARMACY, CROWDED = 1, 0, 3
NOBODY = "37030019000101000" + check_digit_resident_id("37030019000101000")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("data"), free_base())
    place.folder.mkdir(mode=0o700)
    return place


@pytest.fixture(scope="module")
def server(place: Place) -> Iterator[EmbeddedPostgres]:
    server = market_server(place)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def drawn(place: Place, server: EmbeddedPostgres) -> tuple[City, Silent]:
    progress = Silent()
    return draw(place, server, progress), progress


@pytest.fixture(scope="module")
def city(drawn: tuple[City, Silent]) -> City:
    return drawn[0]


@pytest.fixture(scope="module")
def supervisor(place: Place, city: City) -> Iterator[Supervisor]:
    with Supervisor(place) as supervisor:
        supervisor.await_ready()
        yield supervisor


@pytest.fixture
async def desk(place: Place, supervisor: Supervisor) -> AsyncIterator[Desk]:
    for name in PORTS:
        supervisor.command("start", name)
    desk = Desk(place)
    yield desk
    await desk.close()


def test_every_step_of_drawing_is_shown_to_its_end(drawn: tuple[City, Silent]) -> None:
    assert len(drawn[1].steps) == 3
    assert all(total == done > 0 for _, total, done in drawn[1].steps)


def test_a_whole_city_is_not_drawn_again(place: Place, server: EmbeddedPostgres, city: City) -> None:
    progress = Silent()
    again = ensure_city(place, server, progress)
    assert progress.steps == []
    assert (again.people_count, again.seed) == (city.people_count, city.seed)


def test_a_half_made_city_is_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, 8300)
    place.folder.mkdir()
    server = market_server(place)
    server.start()
    try:
        monkeypatch.setattr("hub.demo.build.write_licences", _full_disk)
        with pytest.raises(OSError, match="disk"):
            ensure_city(place, server, Silent(), LEAST_PEOPLE, 1)
        monkeypatch.undo()
        assert place.made() is None
        progress = Silent()
        ensure_city(place, server, progress, LEAST_PEOPLE, 1)
        assert len(progress.steps) == 3
        assert place.made() == Made(LEAST_PEOPLE, 1)
    finally:
        server.stop()


def _full_disk(*_: object) -> None:
    raise OSError("disk full")


async def test_the_police_tell_who_a_person_is(desk: Desk, city: City) -> None:
    person = city.person(OWNER)
    columns = ("id_number", "name", "sex", "birth_date", "ethnicity", "address", "region", "deceased")
    assert await desk.rows("police", "person", person.id_number, columns) == [
        {
            "id_number": person.id_number, "name": person.name, "sex": "2", "birth_date": person.born,
            "ethnicity": "汉族", "address": person.address, "region": person.region, "deceased": False,
        }
    ]  # fmt: skip


@pytest.mark.parametrize("index", [4, 5, 8, 9, 12])
async def test_the_police_know_awkward_people_as_they_are(desk: Desk, city: City, index: int) -> None:
    person = city.person(index)
    columns = ("name", "birth_date", "deceased", "under_investigation")
    (row,) = await desk.rows("police", "person", person.id_number, columns)
    assert tuple(row.values()) == (person.name, person.born, person.deceased, person.under_investigation)


async def test_whom_the_police_do_not_know_is_absent(desk: Desk, city: City) -> None:
    known = city.person(OWNER).id_number
    alone = await desk.fetch("police", "person", (NOBODY,), ("name",))
    together = await desk.fetch("police", "person", (known, NOBODY), ("name",))
    assert (alone.rows, alone.faults) == ({NOBODY: ()}, {})
    assert (together.rows[NOBODY], len(together.rows[known])) == ((), 1)
    assert together.as_of is not None


async def test_a_hundred_people_in_one_call(desk: Desk, city: City) -> None:
    numbers = tuple(city.person(index).id_number for index in range(100))
    answer = await desk.fetch("police", "person", numbers, ("name",))
    assert [answer.rows[number][0][0] for number in numbers] == [
        city.person(index).name for index in range(100)
    ]


async def test_a_call_without_the_right_signature_is_refused(place: Place, desk: Desk, city: City) -> None:
    wrong = dict(place.secrets()) | {"police_hmac_key": "another"}
    described = read(manifest("police", place.ports["police"]))
    assert isinstance(described, Manifest)
    connector = open_connector(described, desk._transport, credentials(wrong)["police"], desk._now)
    key = city.person(OWNER).id_number
    answer = await connector.fetch(Ask("person", (key,), ("name",), (), time.monotonic() + 2, "test-2"))
    assert (answer.faults[key].outcome, answer.faults[key].agency_code) == (Outcome.REFUSED, "9001")
    await connector.close()


async def test_the_market_tells_what_a_business_is(desk: Desk, city: City) -> None:
    firm = city.business(PHARMACY)
    columns = ("name", "registered_capital", "established", "status", "legal_representative", "region")
    assert await desk.rows("market", "business", firm.uscc, columns) == [
        {
            "name": firm.name, "registered_capital": "500000.00 CNY", "established": "2018-03-16",
            "status": "ACTIVE", "legal_representative": city.person(OWNER).id_number, "region": "370303",
        }
    ]  # fmt: skip


async def test_money_in_dollars_and_no_money_at_all(desk: Desk, city: City) -> None:
    columns = ("registered_capital",)
    dollars = await desk.rows("market", "business", city.business(10).uscc, columns)
    nothing = await desk.rows("market", "business", city.business(1).uscc, columns)
    assert dollars == [{"registered_capital": "1250000.00 USD"}]
    assert nothing == [{"registered_capital": None}]


async def test_roles_are_found_from_both_ends(desk: Desk, city: City) -> None:
    person, firm = city.person(OWNER), city.business(PHARMACY)
    of_person = await desk.rows("market", "roles_of_person", person.id_number, ("uscc", "role", "since"))
    assert {"uscc": firm.uscc, "role": "LEGAL_REPRESENTATIVE", "since": "2018-03-16"} in of_person
    assert len({row["uscc"] for row in of_person}) >= 2
    of_crowd = await desk.rows(
        "market", "roles_of_business", city.business(CROWDED).uscc, ("person_id", "role")
    )
    assert len({row["person_id"] for row in of_crowd}) > 200


async def test_the_market_lets_nobody_write_or_read_its_tables(
    place: Place, server: EmbeddedPostgres
) -> None:
    connection = await asyncpg.connect(server.dsn("market_reader", "market"))
    for statement in ("SELECT * FROM scjg.zt", "DELETE FROM gxpt.v_ztjbxx", "CREATE TABLE gxpt.mine (a int)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_the_licence_store_tells_what_a_business_holds(desk: Desk, city: City) -> None:
    firm = city.business(PHARMACY)
    columns = (
        "identifier",
        "holder",
        "holder_scheme",
        "status",
        "valid_until",
        "business_mode",
        "scope",
        "warehouse",
    )
    (row,) = await desk.rows("licences", "drug_business_licence", firm.uscc, columns)
    held = {one.type: one for one in city.certificates_of_business(firm)}["drug_business_licence"]
    assert row == {
        "identifier": held.identifier, "holder": firm.uscc, "holder_scheme": "001", "status": "01",
        "valid_until": "2028-05-07", "business_mode": "RETAIL", "warehouse": None,
        "scope": ("中药饮片", "中成药", "化学药", "生物制品（除疫苗）"),
    }  # fmt: skip


async def test_every_certificate_comes_through_as_it_was_printed(desk: Desk, city: City) -> None:
    """Dates, codes, flags and lists survive the store's own formats."""
    family = city.household(0)
    for held in city.certificates_of_family(family):
        columns = ("identifier", "number", "issued_on", "valid_until", "status", *held.claims)
        (row,) = await desk.rows("licences", held.type, held.holder, columns)
        until = held.valid_until.isoformat() if held.valid_until else None
        assert row == {
            "identifier": held.identifier, "number": held.number, "issued_on": held.issued_on.isoformat(),
            "valid_until": until, "status": held.status, **held.claims,
        }  # fmt: skip


async def test_who_holds_nothing_is_absent(desk: Desk, city: City) -> None:
    answer = await desk.fetch("licences", "driving_licence", (city.person(13).id_number, NOBODY), ("number",))
    assert (set(answer.rows.values()), answer.faults) == ({()}, {})


QUESTIONS = [
    ("police", "person", lambda city: city.person(OWNER).id_number, ("name",)),
    ("market", "business", lambda city: city.business(PHARMACY).uscc, ("name",)),
    ("licences", "business_licence", lambda city: city.business(PHARMACY).uscc, ("number",)),
]


@pytest.mark.parametrize(("agency", "offering", "key", "columns"), QUESTIONS)
async def test_a_stopped_agency_is_unreachable_and_comes_back(
    desk: Desk, city: City, place: Place, agency: str, offering: str, key: Callable[[City], str],
    columns: tuple[str, ...],
) -> None:  # fmt: skip
    assert ask(place.control_socket, "stop", agency)[agency] == "stopped"
    assert await desk.kind(agency, offering, key(city), columns) == Kind.UNREACHABLE
    assert ask(place.control_socket, "start", agency)[agency] == "ok"
    assert len(await desk.rows(agency, offering, key(city), columns)) == 1


@pytest.mark.parametrize(("agency", "offering", "key", "columns"), QUESTIONS)
async def test_a_slow_agency_takes_longer_than_the_hub_waits(
    desk: Desk, city: City, place: Place, agency: str, offering: str, key: Callable[[City], str],
    columns: tuple[str, ...],
) -> None:  # fmt: skip
    assert ask(place.control_socket, "slow", agency)[agency] == "slow"
    assert await desk.kind(agency, offering, key(city), columns) == Kind.TIMEOUT


@pytest.mark.parametrize(
    ("question", "kinds"),
    list(
        zip(
            QUESTIONS,
            [{Kind.BUSY}, {Kind.MALFORMED, Kind.UNREACHABLE, Kind.FAILED}, {Kind.MALFORMED}],
            strict=True,
        )
    ),
)
async def test_a_broken_agency_breaks_in_its_own_way(
    desk: Desk, city: City, place: Place,
    question: tuple[str, str, Callable[[City], str], tuple[str, ...]], kinds: set[Kind],
) -> None:  # fmt: skip
    agency, offering, key, columns = question
    assert ask(place.control_socket, "break", agency)[agency] == "broken"
    assert await desk.kind(agency, offering, key(city), columns) in kinds


def test_the_control_socket_is_private_and_tells_the_state_of_all(
    supervisor: Supervisor, place: Place
) -> None:
    assert place.control_socket.stat().st_mode & 0o077 == 0
    for name in PORTS:
        ask(place.control_socket, "start", name)
    assert ask(place.control_socket, "status") == dict.fromkeys(PORTS, "ok")


@pytest.mark.parametrize(("act", "name"), [("stop", "nobody"), ("burn", "police"), ("stop", "../police")])
def test_a_senseless_command_is_refused(supervisor: Supervisor, place: Place, act: str, name: str) -> None:
    with pytest.raises(HubError):
        ask(place.control_socket, act, name)
    assert ask(place.control_socket, "status")["police"] == "ok"


def test_without_a_running_demo_a_command_says_so(tmp_path: Path) -> None:
    with pytest.raises(HubError) as refused:
        ask(tmp_path / "control.sock", "stop", "police")
    assert refused.value.problem.detail["detail"] == "no demo is running on this data folder"


PARENT = """
import sys, time
from pathlib import Path
from hub.demo.place import Place
from hub.demo.supervisor import Supervisor
with Supervisor(Place(Path(sys.argv[1]), int(sys.argv[2]))) as supervisor:
    supervisor.await_ready()
    supervisor.command("stop", "police")
    print(*(child.pid for child in supervisor._children.values()), flush=True)
    from hub.demo.control import ask
    ask(Place(Path(sys.argv[1]), int(sys.argv[2])).control_socket, "start", "police")
    print(supervisor._children["police"].pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_agency_outlives_the_supervisor(place: Place, supervisor: Supervisor, number: int) -> None:
    """Also not one that was started again by a command, from another thread."""
    other = Place(place.data, free_base())
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(other.data), str(other.hub_port)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    children = [int(pid) for _ in range(2) for pid in parent.stdout.readline().split()]
    assert len(children) == 3
    assert all(_runs(pid) for pid in children)
    parent.send_signal(number)
    parent.wait(10)
    parent.stdout.close()
    until = time.monotonic() + 5
    while any(_runs(pid) for pid in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert [pid for pid in children if _runs(pid)] == []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_secrets_and_sheet_are_for_the_owner_alone(place: Place, city: City) -> None:
    assert place.secrets_file.stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_told(place: Place, city: City) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        other = Place(place.data, taken.getsockname()[1] - PORTS["police"])
        with pytest.raises(HubError) as refused, Supervisor(other):
            pass
    assert "taken" in refused.value.problem.detail["detail"]
