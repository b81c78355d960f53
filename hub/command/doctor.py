"""The command that says what is wrong with an environment, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from hub.command.names import occupied_names
from hub.kernel.db.provision import require_servable
from hub.kernel.db.quarters import installed_binaries, namespaces_allowed
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings, settings_of_process, unknown_keys_of_process

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 1_000_000_000
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DATABASE_MENDED = {
    Code.DATABASE_UNREACHABLE: (
        "连不上 PostgreSQL；请检查 HUB_DATABASE_URL、网络和角色口令。",
        "PostgreSQL does not answer: check HUB_DATABASE_URL, the network and the role's password.",
    ),
    Code.DATABASE_NOT_MIGRATED: (
        "数据库结构不是本版本的；请运行 hub migrate。",
        "The database is not at this release: run hub migrate.",
    ),
    Code.SETTING_INVALID: (
        "HUB_DATABASE_URL 须能读懂，且其角色（如 hub_server）只能向日志添加，不能是所有者。",
        "HUB_DATABASE_URL must be readable; its role (such as hub_server) may only add to the log.",
    ),
}
app = typer.Typer(help="Say what is wrong with this environment. 检查运行环境。")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: fine, or a sentence on how to mend it in Chinese and in English."""

    name: str
    is_fine: bool
    zh: str = ""
    en: str = ""
    is_optional: bool = False


Check = Callable[[Settings], Finding]


def check_python(_settings: Settings) -> Finding:
    """Python 3.11 or newer."""
    fine = sys.version_info >= OLDEST_PYTHON
    return Finding("python", fine, "请使用 Python 3.11 或更高版本。", "Use Python 3.11 or newer.")


def check_names(_settings: Settings) -> Finding:
    """Nobody else's hub, schema or connectors."""
    return Finding(
        "package names",
        not occupied_names(),
        "同名软件包占用了 hub、schema 或 connectors；请在独立的虚拟环境中安装（make clean run）。",
        "Another package owns hub, schema or connectors; use a fresh virtual environment (make clean run).",
    )


def check_keys(_settings: Settings) -> Finding:
    """No misspelt setting."""
    unknown = ", ".join(unknown_keys_of_process())
    return Finding(
        "setting names",
        not unknown,
        f"没有这样的设置，可能拼写有误：{unknown}。",
        f"No such settings, perhaps misspelt: {unknown}.",
        is_optional=True,
    )


def check_data(settings: Settings) -> Finding:
    """The data folder is ours, closed to others, and not full."""
    folder = settings.data
    place = next(place for place in (folder, *folder.parents) if place.exists())
    fine = os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free > FREE_BYTES
    if folder.exists():
        state = folder.stat()
        fine = fine and state.st_uid == os.geteuid() and not stat.S_IMODE(state.st_mode) & 0o077
    return Finding(
        "data folder",
        fine,
        "须属于当前用户、权限 0700、有 1 GB 空间；请用 chown、chmod 700 修正，或改设 HUB_DATA。",
        "It must be yours, of mode 0700, with 1 GB free: mend it with chown and chmod 700, or set HUB_DATA.",
    )


def check_port(settings: Settings) -> Finding:
    """The port can be had."""
    try:
        with socket.create_server((settings.host, settings.port)):
            fine = True
    except OSError:
        fine = False
    return Finding(
        "port",
        fine,
        "端口已被占用（也可能枢纽已在运行）；请停止占用者，或改设 HUB_PORT。",
        "Somebody has the port (perhaps the hub, already running): stop that, or set HUB_PORT.",
    )


def check_database(settings: Settings) -> Finding:
    """The operator's database answers and is migrated; the embedded one has its programs."""
    if settings.database_url is None:
        return _check_programs()
    try:
        asyncio.run(require_servable(settings.database_url))
    except HubError as error:
        return Finding("database", False, *DATABASE_MENDED[error.problem.code])
    return Finding("database", True)


def check_confinement(settings: Settings) -> Finding:
    """As root, PostgreSQL can be kept from being root by a user namespace."""
    needed = settings.database_url is None and os.geteuid() == 0
    return Finding(
        "user namespaces",
        not needed or namespaces_allowed(),
        "内核不允许；内嵌 PostgreSQL 将以 nobody 身份在 /var/lib/proofless 运行。也可改用普通用户。",
        "The kernel refuses; PostgreSQL runs as nobody in /var/lib/proofless. Or use an ordinary user.",
        is_optional=True,
    )


def check_chromium(_settings: Settings) -> Finding:
    """The browser tests have a browser."""
    return Finding(
        "chromium",
        any(map(shutil.which, CHROMIUM)),
        "没有 Chromium，浏览器测试会跳过：apt install chromium fonts-noto-cjk。",
        "Without Chromium the browser tests are skipped: apt install chromium fonts-noto-cjk.",
        is_optional=True,
    )


CHECKS: tuple[Check, ...] = (
    check_python,
    check_names,
    check_keys,
    check_data,
    check_port,
    check_database,
    check_confinement,
    check_chromium,
)


@app.callback(invoke_without_command=True)
def doctor() -> None:
    """Check the environment; exit code 1 when something keeps the hub from running."""
    settings = settings_of_process()
    findings = [check(settings) for check in CHECKS]
    for finding in findings:
        typer.echo(in_words(finding))
    if not all(finding.is_fine or finding.is_optional for finding in findings):
        raise typer.Exit(1)


def in_words(finding: Finding) -> str:
    """One line, or three where something is to be mended."""
    if finding.is_fine:
        return f"ok    {finding.name}"
    mark = "note " if finding.is_optional else "WRONG"
    return f"{mark} {finding.name}\n      {finding.zh}\n      {finding.en}"


def _check_programs() -> Finding:
    try:
        fine = os.access(installed_binaries() / "postgres", os.X_OK)
    except HubError:
        fine = False
    return Finding(
        "embedded database",
        fine,
        "找不到 PostgreSQL 程序；请重新安装（make clean run），或设置 HUB_DATABASE_URL。",
        "PostgreSQL's programs are missing: install again (make clean run), or set HUB_DATABASE_URL.",
    )
