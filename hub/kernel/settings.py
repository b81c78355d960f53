"""The operator's settings: read once from the environment into one frozen object."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar, cast

from hub.kernel.errors import Code, HubError

AgencyNetwork = tuple[IPv4Network | IPv6Network, tuple[range, ...]]
Value = TypeVar("Value")
PREFIX = "HUB_"
LOG_LEVELS = ("debug", "info", "warning", "error")
KEY_BYTES = 32
LAST_PORT = 65_535
MOST_COST = 10**12
MOST_WORKERS = 256
MOST_REQUESTS = 1_000_000_000
NETWORK = re.compile(r"(?P<network>[0-9A-Fa-f.:]+/\d{1,3}):(?P<ports>[0-9,-]+)")
PORTS = re.compile(r"\d{1,5}(?:-\d{1,5})?")


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() else -1
        if not low <= number <= high:
            raise ValueError
        return number

    return parse


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError
        return text.lower()

    return parse


def _database(text: str) -> str:
    if not re.match(r"postgres(ql)?://\S+$", text):
        raise ValueError
    return text


def _base_url(text: str) -> str:
    if not re.match(r"https?://[^\s/?#@]+(/[^\s?#]*)?$", text):
        raise ValueError
    return text.rstrip("/")


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError from error
    if len(key) != KEY_BYTES:
        raise ValueError
    return key


def _ports(text: str) -> range:
    if PORTS.fullmatch(text) is None:
        raise ValueError
    first, _, last = text.partition("-")
    ports = range(int(first), int(last or first) + 1)
    if not ports or ports[0] < 1 or ports[-1] > LAST_PORT:
        raise ValueError
    return ports


def _network(text: str) -> AgencyNetwork:
    found = NETWORK.fullmatch(text)
    if found is None:
        raise ValueError
    network = ip_network(found["network"])
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise ValueError  # such an address is judged as the IPv4 address in it, so this would never count
    return network, tuple(map(_ports, found["ports"].split(",")))


def _networks(text: str) -> tuple[AgencyNetwork, ...]:
    return tuple(map(_network, text.split()))


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _setting(
    parse: Callable[[str], Value], default: str, expected: str, en: str, zh: str, *, secret: bool = False
) -> Value:
    """One setting: how its text is read, its default text ("": None), what is expected, its descriptions."""
    metadata = {"parse": parse, "default": default, "expected": expected, "en": en, "zh": zh}
    return cast(Value, field(metadata=metadata, repr=not secret))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator decides. The environment key of a field is ``HUB_`` and its name in capitals."""

    host: str = _setting(
        str, "127.0.0.1", "an address of this machine", "Address the hub listens on.", "监听地址。"
    )
    port: int = _setting(
        _whole(1, LAST_PORT),
        "8300",
        "a whole number from 1 to 65535",
        "Port the hub listens on.",
        "监听端口。",
    )
    data: Path = _setting(
        _path,
        "./data",
        "a folder",
        "Folder of the embedded database, the keys and the demo; made with mode 0700.",
        "数据目录：内嵌数据库、密钥和演示数据，权限 0700。",
    )
    database_url: str | None = _setting(
        _database,
        "",
        "postgresql://USER:PASSWORD@HOST/DATABASE",
        "PostgreSQL as the serving role. Without it the hub starts an embedded one in its data folder.",
        "以服务角色连接的 PostgreSQL；不设则在数据目录内启动内嵌 PostgreSQL。",
        secret=True,
    )
    owner_database_url: str | None = _setting(
        _database,
        "",
        "postgresql://USER:PASSWORD@HOST/DATABASE",
        "The same database as the owner role, which migrates and makes partitions. Serving never needs it.",
        "同一数据库的属主角色，用于迁移和建分区；对外服务时用不到。",
        secret=True,
    )
    database_connections: int = _setting(
        _whole(1, 500),
        "8",
        "a whole number from 1 to 500",
        "Connections to the database a worker process holds at the most.",
        "每个工作进程最多持有的数据库连接数。",
    )
    statement_cache: int = _setting(
        _whole(0, 10_000),
        "100",
        "a whole number from 0 to 10000",
        "Prepared statements kept per connection; 0 behind PgBouncer in transaction mode.",
        "每个连接缓存的预备语句数；经 PgBouncer 事务模式连接时设为 0。",
    )
    issuer: str = _setting(
        _base_url,
        "http://127.0.0.1:8300",
        "a URL such as https://hub.example.gov.cn",
        "Public base URL: issuer of tokens and receipts, audience of assertions; follows HUB_PORT.",
        "对外基础网址：令牌和回执的签发者，客户端断言的受众；默认随 HUB_PORT。",
    )
    agency_networks: tuple[AgencyNetwork, ...] = _setting(
        _networks,
        "",
        "entries CIDR:PORTS with spaces between, such as 10.20.0.0/16:443,8000-8100",
        "Private networks and ports where agencies may be asked; public addresses need no entry.",
        "允许访问的部门内网网段和端口；公网地址无需列出。",
    )
    master_key: bytes | None = _setting(
        _key,
        "",
        "32 bytes in Base64",
        "Key that seals the keys in the database. Without it, a file of mode 0600 in the data folder.",
        "用于加密数据库中各密钥的主密钥；不设则用数据目录内权限 0600 的文件。",
        secret=True,
    )
    deadline_seconds: int = _setting(
        _whole(1, 300),
        "10",
        "a whole number from 1 to 300",
        "Time for one question, agencies included.",
        "回答一次查询的总时限（秒），含各部门的响应时间。",
    )
    token_seconds: int = _setting(
        _whole(30, 3600),
        "600",
        "a whole number from 30 to 3600",
        "Life of an access token.",
        "访问令牌的有效时间（秒）。",
    )
    max_body_bytes: int = _setting(
        _whole(1_000, 100_000_000),
        "1000000",
        "a whole number from 1000 to 100000000",
        "Largest request body.",
        "请求正文的最大字节数。",
    )
    read_timeout_seconds: int = _setting(
        _whole(1, 300),
        "10",
        "a whole number from 1 to 300",
        "Time in which a request's head and body must have arrived.",
        "收完一个请求头部和正文的时限（秒）。",
    )
    max_requests: int = _setting(
        _whole(1, 100_000),
        "1000",
        "a whole number from 1 to 100000",
        "Requests a worker process answers at once; more are told to come back (HUB-204).",
        "每个工作进程同时处理的请求数，超出者被告知稍后再来（HUB-204）。",
    )
    shutdown_seconds: int = _setting(
        _whole(1, 300),
        "15",
        "a whole number from 1 to 300",
        "Time requests in flight have to finish when the hub is stopped.",
        "停止时留给在途请求的时间（秒）。",
    )
    workers: int = _setting(
        _whole(1, MOST_WORKERS),
        "1",
        "a whole number from 1 to 256",
        "Worker processes; one per processor core is sensible.",
        "工作进程数，宜每核一个。",
    )
    cache_bytes: int = _setting(
        _whole(0, MOST_COST),
        "64000000",
        "a whole number from 0 to 1000000000000",
        "Memory in which a worker keeps facts while they are fresh, in bytes; 0: none are kept.",
        "每个工作进程在有效时限内缓存数据的内存上限（字节）；0 为不缓存。",
    )
    client_requests_per_second: int = _setting(
        _whole(0, MOST_REQUESTS),
        "200",
        "a whole number from 0 to 1000000000",
        "Questions a client may ask in a second, by all workers together; 0: no limit (HUB-205).",
        "每个调用方每秒可提交的查询数，各工作进程合计；0 为不限（HUB-205）。",
    )
    client_requests_per_minute: int = _setting(
        _whole(0, MOST_REQUESTS),
        "6000",
        "a whole number from 0 to 1000000000",
        "Questions a client may ask in a minute, by all workers together; 0: no limit (HUB-205).",
        "每个调用方每分钟可提交的查询数，各工作进程合计；0 为不限（HUB-205）。",
    )
    client_subjects_per_day: int = _setting(
        _whole(0, MOST_REQUESTS),
        "500000",
        "a whole number from 0 to 1000000000",
        "Subjects a client may ask about in a day (UTC+8); 0: no limit (HUB-206).",
        "每个调用方每天（北京时间）可查询的对象数；0 为不限（HUB-206）。",
    )
    files: Path | None = _setting(
        _path,
        "",
        "a folder",
        "Folder in which each files connector has one named as its id; the worker watches them.",
        "部门数据文件的投放目录：每个文件类连接器一个以其编号命名的子目录，由定期任务查看。",
    )
    otel_endpoint: str | None = _setting(
        _base_url,
        "",
        "a URL such as http://127.0.0.1:4318",
        "OpenTelemetry collector (OTLP over HTTP) that gets the traces; needs the extra `otel`.",
        "接收链路追踪数据的 OpenTelemetry 采集器（OTLP/HTTP）；需安装附加组件 `otel`。",
    )
    cost_limit: int = _setting(
        _whole(1, MOST_COST),
        "10000000",
        "a whole number from 1 to 1000000000000",
        "Most that one question may cost, unless its client has a limit of its own (HUB-129).",
        "一次查询的代价上限，调用方另有规定的除外（HUB-129）。",
    )
    trusted_documents_only: bool = _setting(
        _flag,
        "false",
        "true or false",
        "Whether only registered queries are answered (HUB-147).",
        "是否只回答已登记的查询（HUB-147）。",
    )
    log_level: str = _setting(
        _one_of(*LOG_LEVELS),
        "info",
        " or ".join(LOG_LEVELS),
        "Least severe log entry written.",
        "写出的最低日志级别。",
    )


def environment_key(name: str) -> str:
    """The environment key of a field of Settings."""
    return PREFIX + name.upper()


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; an empty variable counts as absent.

    Raises HubError(SETTING_INVALID) with the details ``setting`` and ``rule`` (what is expected), never
    the value, which may be a secret.
    """
    settings = Settings(**{one.name: _read(one, environ) for one in fields(Settings)})  # type: ignore[arg-type]
    if environ.get("HUB_ISSUER", "").strip():
        return settings
    return replace(settings, issuer=f"http://127.0.0.1:{settings.port}")


def settings_of_process() -> Settings:
    """The settings in this process's environment."""
    return read_settings(os.environ)


def driver_environment() -> Mapping[str, str]:
    """What PostgreSQL's driver reads in this process's environment, past all settings: PGHOST and others."""
    return {key: value for key, value in os.environ.items() if key.startswith("PG")}


def unknown_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that look like settings but are none: most likely misspelt."""
    known = {environment_key(one.name) for one in fields(Settings)}
    return tuple(sorted(key for key in environ if key.startswith(PREFIX) and key not in known))


def unknown_keys_of_process() -> tuple[str, ...]:
    """The misspelt settings in this process's environment."""
    return unknown_keys(os.environ)


def _read(one: Field[object], environ: Mapping[str, str]) -> object:
    key = environment_key(one.name)
    text = environ.get(key, "").strip() or one.metadata["default"]
    if not text:
        return () if one.name == "agency_networks" else None
    try:
        return one.metadata["parse"](text)
    except ValueError:
        raise HubError(Code.SETTING_INVALID, setting=key, rule=one.metadata["expected"]) from None
