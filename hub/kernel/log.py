"""The operational log: one JSON object a line, built from an allow-list so that no value can slip into it."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any, TextIO
from uuid import UUID

import structlog
from structlog.typing import Processor

from hub.kernel.errors import HubError

Entry = MutableMapping[str, Any]

# fmt: off
ALLOWED_KEYS = frozenset({
    "event", "level", "time", "logger", "frames", "error", "dropped", "agency", "attempt", "channel",
    "client", "code", "connector", "correlation", "count", "database", "file", "fingerprint", "inquiry",
    "kind", "migration", "offering", "operation", "outcome", "pid", "port", "procedure", "record",
    "route", "seconds", "setting", "signal", "slice", "status", "state", "version", "worker",
})
# fmt: on
LONGEST = 300
LONGEST_CHAIN = 5
LAST_FRAMES = 8
REDACTED = "[redacted]"
SECRET_SHAPES = re.compile(
    r"[0-9]{17}[0-9Xx]"  # resident ID number, GB 11643
    r"|\b[0-9A-HJ-NP-RTUWXY]{18}\b"  # unified social credit code, GB 32100
    r"|eyJ[\w-]+\.[\w.-]+"  # a JOSE compact form, RFC 7515
    r"|://[^\s/@]+:[^\s/@]+@"  # a password within a URL
    r"|[\u3400-\u9fff\U00020000-\U0003ffff]+"  # names and addresses; our own entries are in English
)
QUIET = MappingProxyType(
    {
        "uvicorn.access": logging.CRITICAL,
        "uvicorn.error": logging.WARNING,
        "asyncio": logging.WARNING,
    }
)


CONCERNING: ContextVar[Callable[[], str]] = ContextVar("concerning")
"""Tells the id of the request that a task works on; every entry of the task gets it as ``inquiry``."""


def name_inquiry(_logger: object, _method: str, entry: Entry) -> Entry:
    """Tell which request an entry concerns, where one is being answered and the entry names none itself."""
    known_as = CONCERNING.get(None)
    if known_as is not None:
        entry.setdefault("inquiry", known_as())
    return entry


def keep_allowed(_logger: object, _method: str, entry: Entry) -> Entry:
    """Keep the keys of the allow-list with plain, scrubbed values, and count what was dropped."""
    kept: Entry = {key: _plain(value) for key, value in entry.items() if key in ALLOWED_KEYS}
    if len(kept) < len(entry):
        kept["dropped"] = len(entry) - len(kept)
    return kept


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return scrub(str(value)) if abs(value) >= 10**15 else value
    if isinstance(value, Enum):
        return _plain(value.value if isinstance(value.value, str) else value.name)
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, str | UUID | datetime):
        return scrub(str(value))[:LONGEST]
    return type(value).__name__


def scrub(text: str) -> str:
    """Text without what looks like an ID number, a credit code, a token, a password or a Chinese name."""
    return SECRET_SHAPES.sub(REDACTED, text)


def name_failure(_logger: object, _method: str, entry: Entry) -> Entry:
    """Tell an exception by its types and places; its message may hold a value."""
    failure = entry.pop("exc_info", None)
    if failure is True:
        failure = sys.exc_info()
    if isinstance(failure, tuple):
        failure = failure[1]
    if isinstance(failure, BaseException):
        entry["error"] = " < ".join(_chain(failure))
        frames = traceback.extract_tb(failure.__traceback__)
        entry["frames"] = [f"{_short(frame.filename)}:{frame.lineno}" for frame in frames[-LAST_FRAMES:]]
    return entry


def _chain(failure: BaseException) -> list[str]:
    names: list[str] = []
    link: BaseException | None = failure
    while link is not None and len(names) < LONGEST_CHAIN:
        names.append(link.problem.code.label if isinstance(link, HubError) else type(link).__name__)
        link = link.__cause__ or link.__context__
    return names


def _short(filename: str) -> str:
    return "/".join(filename.rsplit("/", 3)[-3:])


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send every log entry of this process, also of other libraries, as JSON to a stream (standard error)."""
    stamp: list[Processor] = [
        name_inquiry,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *stamp,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamp,
            processors=[
                name_failure,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                keep_allowed,
                structlog.processors.JSONRenderer(),
            ],
            # Of another library's record only its template: what fills it may be a value.
            use_get_message=False,
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in logging.root.manager.loggerDict:
        foreign = logging.getLogger(name)
        foreign.handlers, foreign.propagate = [], True
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def get_log(name: str = "hub") -> structlog.stdlib.BoundLogger:
    """The log of a module. Events are English snake_case; keys outside ALLOWED_KEYS are dropped."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log
