"""Starts and keeps a PostgreSQL of the hub's own, reachable only through a private socket and passwords."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import asyncpg

from hub.kernel.db.pool import FAILURES
from hub.kernel.db.quarters import SOCKET_PORT, Quarters, find_quarters, private
from hub.kernel.errors import Code, HubError

ADMIN = "postgres"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
DENIALS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidPasswordError)
RESTART_SECONDS = 0.2
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(SOCKET_PORT),  # else PGPORT would name the socket
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    # The server's own log must never hold a value of a row or of a statement.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_checkpoints": "off",
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Roles:
    """Who may log in: the owner of every database, and serving roles, which are members of ``group``."""

    owner: str = "hub_owner"
    serving: tuple[str, ...] = ("hub_server",)
    group: str = "hub_serve"


class EmbeddedPostgres:
    """A cluster in a folder (mode 0700) with its databases and roles, run as a child that is never root.

    It ends when this process ends, also by kill -9, and is started again when it ends by itself. When
    another process of this machine already runs the folder's cluster, ``start`` joins that one.
    Raises HubError(EMBEDDED_DATABASE_FAILED) with a ``detail``.
    """

    def __init__(
        self,
        folder: Path,
        databases: tuple[str, ...] = ("hub",),
        *,
        roles: Roles | None = None,
        settings: Mapping[str, str] | None = None,
        namespaces: bool | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._databases = databases
        self._roles = roles or Roles()
        self._settings = {**SETTINGS, **(settings or {})}
        self._namespaces = namespaces
        self._quarters: Quarters | None = None
        self._lock: TextIO | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def _log_file(self) -> Path:
        return self._folder / "postgres.log"

    @property
    def pid(self) -> int | None:
        """The process id of the server when this object runs it."""
        return self._child.pid if self._child is not None else None

    def start(self) -> None:
        """Return once PostgreSQL answers and has its databases and roles; blocks (0.1 to 2 s)."""
        private(self._folder)
        self._quarters = find_quarters(self._folder, namespaces=self._namespaces)
        self._stopping.clear()
        if self._own_folder():
            self._make_cluster(self._quarters)
            self._log_file.unlink(missing_ok=True)
            self._keeper = threading.Thread(target=self._keep, args=(self._quarters,), daemon=True)
            self._keeper.start()
        try:
            _run(self._prepare())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the server down when this object runs it; connections of others are closed."""
        self._stopping.set()
        if self._keeper is not None:
            self._end_child(signal.SIGINT)
            self._keeper.join(STOP_SECONDS)
            self._end_child(signal.SIGKILL)
            self._keeper = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def dsn(self, role: str, database: str = "hub") -> str:
        """The connection URL of a role; it holds the role's password."""
        if self._quarters is None:
            raise HubError(Code.EMBEDDED_DATABASE_FAILED, detail="it has not been started")
        password = self._password(role)
        host = quote(str(self._quarters.sockets), safe="")
        return f"postgresql://{role}:{password}@/{database}?host={host}&port={SOCKET_PORT}"

    def _own_folder(self) -> bool:
        lock = (self._folder / "lock").open("w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _password(self, role: str) -> str:
        file = private(self._folder / "passwords") / role
        with suppress(FileExistsError):
            fresh = file.with_name(f"{role}.{secrets.token_hex(4)}")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(24), encoding="ascii")
            try:
                os.link(fresh, file)  # whole or not at all, and never over another's
            finally:
                fresh.unlink()
        return file.read_text(encoding="ascii")

    def _make_cluster(self, quarters: Quarters) -> None:
        if (quarters.cluster / "PG_VERSION").exists():
            return
        fresh = quarters.cluster.with_name("cluster.new")
        shutil.rmtree(fresh, ignore_errors=True)
        word = self._lent_password(quarters)
        sync = "--no-sync" if self._settings.get("fsync") == "off" else "--sync-method=fsync"
        arguments = [
            f"--pgdata={fresh}", f"--username={ADMIN}", "--auth=scram-sha-256", f"--pwfile={word}",
            "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
            "--no-instructions", "--data-checksums", sync,
        ]  # fmt: skip
        command = quarters.command("initdb", *arguments)
        made = subprocess.run(command, capture_output=True, check=False, env=_environment(), cwd="/")
        word.unlink()
        if made.returncode != 0:
            reason = made.stderr.decode(errors="replace").strip().splitlines()
            raise HubError(Code.EMBEDDED_DATABASE_FAILED, detail=reason[-1] if reason else "initdb failed")
        fresh.rename(quarters.cluster)

    def _lent_password(self, quarters: Quarters) -> Path:
        """The administrator's password in a file that the user PostgreSQL runs as may read."""
        word = quarters.cluster.with_name("password.new")
        word.unlink(missing_ok=True)
        word.touch(mode=0o600)
        word.write_text(self._password(ADMIN), encoding="ascii")
        owner = quarters.cluster.parent.stat()
        os.chown(word, owner.st_uid, owner.st_gid)
        return word

    def _keep(self, quarters: Quarters) -> None:
        """Run the server until told to stop; the parent-death signal hangs on this thread, which lives on."""
        while not self._stopping.is_set():
            self._clear_stale_pid(quarters)
            with self._log_file.open("ab") as log:
                self._child = subprocess.Popen(
                    self._server_command(quarters), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    env=_environment(), cwd="/", start_new_session=True,
                )  # fmt: skip
                if self._stopping.is_set():
                    self._end_child(signal.SIGINT)
                self._child.wait()
            self._stopping.wait(RESTART_SECONDS)

    def _server_command(self, quarters: Quarters) -> list[str]:
        settings = {**self._settings, "unix_socket_directories": str(quarters.sockets)}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return quarters.command("postgres", "-D", str(quarters.cluster), *options)

    def _clear_stale_pid(self, quarters: Quarters) -> None:
        """Forget a server that is no more. Its number may long belong to another program, which PostgreSQL
        would take for a running server; we hold the folder's lock, so only an orphan on its way out is real.
        """
        file = quarters.cluster / "postmaster.pid"
        with suppress(FileNotFoundError, ValueError, IndexError):
            if not _runs_cluster(int(file.read_text(encoding="utf-8").splitlines()[0]), quarters.cluster):
                file.unlink()

    def _end_child(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    async def _prepare(self) -> None:
        admin = await self._first_connection()
        try:
            if self._lock is not None:
                await self._make_roles(admin)
                for database in self._databases:
                    await self._make_database(admin, database)
        finally:
            await admin.close()

    async def _first_connection(self) -> asyncpg.Connection:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                return await asyncpg.connect(self.dsn(ADMIN, "postgres"), timeout=START_SECONDS)
            except FAILURES as error:
                if time.monotonic() > until or isinstance(error, DENIALS):
                    raise HubError(Code.EMBEDDED_DATABASE_FAILED, detail=self._last_words()) from error
                await asyncio.sleep(POLL_SECONDS)

    def _last_words(self) -> str:
        with suppress(OSError, IndexError):
            return self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-1]
        return "PostgreSQL does not answer"

    async def _make_roles(self, admin: asyncpg.Connection) -> None:
        roles = self._roles
        present = {row[0] for row in await admin.fetch("select rolname from pg_roles")}
        if roles.group not in present:
            await admin.execute(f'create role "{roles.group}" nologin')
        for role, rights in ((roles.owner, "createrole createdb"), *((role, "") for role in roles.serving)):
            verb = "alter" if role in present else "create"
            await admin.execute(f"{verb} role \"{role}\" login {rights} password '{self._password(role)}'")
        for role in roles.serving:
            await admin.execute(f'grant "{roles.group}" to "{role}"')
        await admin.execute(f'grant "{roles.group}" to "{roles.owner}" with admin option, inherit false')

    async def _make_database(self, admin: asyncpg.Connection, database: str) -> None:
        if await admin.fetchval("select 1 from pg_database where datname = $1", database):
            return
        await admin.execute(f'create database "{database}" owner "{self._roles.owner}"')
        await admin.execute(f'revoke all on database "{database}" from public')
        await admin.execute(f'grant connect on database "{database}" to "{self._roles.group}"')


def _environment() -> dict[str, str]:
    """What PostgreSQL's programs see of the environment: none of ours."""
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def _runs_cluster(pid: int, cluster: Path) -> bool:
    try:
        return os.fsencode(cluster) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def _run(work: Coroutine[object, object, None]) -> None:
    """Run a coroutine to its end in a thread of its own, since the caller may be inside an event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
