"""The embedded PostgreSQL: private, never root, gone with its parent, back after a kill."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from hub.kernel.db.embedded import EmbeddedPostgres, Roles
from hub.kernel.db.pool import FAILURES, is_away
from hub.kernel.db.quarters import SOCKET_LIMIT, SOCKET_NAME, STATE_FOLDER, private, socket_folder
from hub.kernel.errors import Code, HubError

PARENT = """
import sys, time
from pathlib import Path
from hub.kernel.db.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def ask_until_back(dsn: str, statement: str) -> object:
    for _ in range(200):
        try:
            return await ask(dsn, statement)
        except FAILURES as error:
            if not is_away(error):
                raise
            await asyncio.sleep(0.05)
    raise AssertionError("PostgreSQL did not come back")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_it_is_reached_only_with_a_password(own_postgres: EmbeddedPostgres) -> None:
    dsn = own_postgres.dsn("hub_server")
    assert await ask(dsn, "select current_user::text") == "hub_server"
    password = dsn.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(dsn.replace(password, "guessed"), "select 1")
    assert await ask(dsn, "select inet_server_addr() is null") is True
    assert await ask(dsn, "select pg_has_role('hub_server', 'hub_serve', 'member')") is True
    assert (
        await ask(dsn, "select rolsuper or rolcreaterole from pg_roles where rolname = current_user") is False
    )


def test_its_files_are_private_and_it_is_not_root(own_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in (folder / "passwords").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    status = Path(f"/proc/{own_postgres.pid}/status").read_text(encoding="ascii")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff"))
    assert os.geteuid() != 0 or int(effective, 16) == 0


async def test_killed_it_comes_back_with_its_rows(own_postgres: EmbeddedPostgres) -> None:
    dsn = own_postgres.dsn("hub_owner")
    await ask(dsn, "create table kept as select 5 as five")
    before = own_postgres.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert await ask_until_back(dsn, "select five from kept") == 5
    assert own_postgres.pid != before


def test_it_ends_with_a_killed_parent_and_starts_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "postgres")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_running(pid)
    again = EmbeddedPostgres(tmp_path / "postgres")
    again.start()
    assert asyncio.run(ask(again.dsn("hub_server"), "select 1")) == 1
    again.stop()


def test_a_stale_number_of_another_program_does_not_stop_it(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    server.stop()
    cluster = next((tmp_path / "postgres").rglob("PG_VERSION")).parent
    while not (cluster / "postgresql.conf").exists():
        cluster = cluster.parent
    stale = cluster / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n\n\n", encoding="ascii")
    server.start()
    assert asyncio.run(ask(server.dsn("hub_server"), "select 1")) == 1
    server.stop()


def test_a_second_process_joins_the_first(own_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    joined = EmbeddedPostgres(tmp_path / "postgres")
    joined.start()
    assert joined.pid is None
    assert asyncio.run(ask(joined.dsn("hub_server"), "select 1")) == 1
    joined.stop()
    assert asyncio.run(ask(own_postgres.dsn("hub_server"), "select 1")) == 1


async def test_another_agency_has_its_own_roles_and_databases(tmp_path: Path) -> None:
    roles = Roles("market_owner", ("market_reader",), "market_read")
    server = EmbeddedPostgres(tmp_path / "market", ("market", "archive"), roles=roles)
    await asyncio.to_thread(server.start)
    for database in ("market", "archive"):
        assert await ask(server.dsn("market_reader", database), "select current_database()::text") == database
    await asyncio.to_thread(server.stop)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must give up being root")
@pytest.mark.parametrize("namespaces", [True, False])
def test_as_root_it_runs_below_a_closed_folder(tmp_path: Path, namespaces: bool) -> None:
    tmp_path.chmod(0o700)
    server = EmbeddedPostgres(tmp_path / "postgres", namespaces=namespaces)
    server.start()
    owner = Path(f"/proc/{server.pid}").stat().st_uid
    try:
        assert asyncio.run(ask(server.dsn("hub_server"), "select 1")) == 1
        assert (owner == 0) is namespaces
    finally:
        server.stop()
        assert server._quarters is not None
        if STATE_FOLDER in server._quarters.cluster.parents:
            shutil.rmtree(STATE_FOLDER / server._quarters.cluster.relative_to(STATE_FOLDER).parts[0])


async def test_the_servers_log_holds_no_value(own_postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    dsn = own_postgres.dsn("hub_owner")
    await ask(dsn, "create table person (id text primary key)")
    await ask(dsn, "insert into person values ('11010519491231002X')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(dsn, "insert into person values ('11010519491231002X')")
    log = (tmp_path / "postgres" / "postgres.log").read_text(encoding="utf-8")
    assert "duplicate key" in log
    assert "11010519491231002X" not in log


def test_sockets_of_a_long_path_get_a_short_folder(tmp_path: Path) -> None:
    near = socket_folder(tmp_path)
    assert near.parent == tmp_path or len(os.fsencode(tmp_path / "sockets" / SOCKET_NAME)) > SOCKET_LIMIT
    far = socket_folder(tmp_path / ("deep" * 30))
    assert len(os.fsencode(far / SOCKET_NAME)) <= SOCKET_LIMIT
    assert stat.S_IMODE(far.stat().st_mode) == 0o700
    far.rmdir()


def test_a_link_is_no_private_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(HubError) as caught:
        private(tmp_path / "link")
    assert caught.value.problem.code is Code.EMBEDDED_DATABASE_FAILED


def test_a_port_in_the_environment_does_not_move_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6001")
    server = EmbeddedPostgres(tmp_path / "postgres")
    server.start()
    folder = Path(parse_qs(urlsplit(server.dsn("hub_server")).query)["host"][0])
    assert (folder / SOCKET_NAME).is_socket()
    assert asyncio.run(ask(server.dsn("hub_server"), "select 1")) == 1
    server.stop()
