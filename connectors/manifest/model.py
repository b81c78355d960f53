"""The frozen values that a manifest is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from connectors.contract import Offering, Tell
from connectors.dates import DateForm
from connectors.documents import Format
from connectors.mapping import FieldRule, Path


@dataclass(frozen=True, slots=True)
class Mistake:
    """Where a manifest is wrong and what is expected there; never the value, which may be a secret."""

    path: str
    expected: str


class Kind(StrEnum):
    """How an agency's service is spoken to."""

    REST = "rest"
    SQL = "sql"
    GRAPHQL = "graphql"
    FILES = "files"


class Meaning(StrEnum):
    """What an agency's status or code means; ``failed`` and ``busy`` are Unavailable."""

    FOUND = "found"
    ABSENT = "absent"
    REFUSED = "refused"
    PENDING = "pending"
    FAILED = "failed"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """The base URL (rest) or endpoint (graphql); ``ca`` is PEM text, None for the system's authorities."""

    url: str
    ca: str | None
    health: str | None


@dataclass(frozen=True, slots=True)
class SqlAddress:
    """A PostgreSQL database; ``ca`` is PEM text, None for the system's authorities."""

    host: str
    port: int
    database: str
    user: str
    tls: bool
    ca: str | None


@dataclass(frozen=True, slots=True)
class FileDrop:
    """Files that the agency hands over; nothing is ever connected to."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A header with a secret in it."""

    header: str
    slot: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic authentication (RFC 7617)."""

    user: str
    slot: str


@dataclass(frozen=True, slots=True)
class Hmac:
    """A keyed digest (RFC 2104) over parts of the call, each in a declared order.

    ``timestamp_form`` is unix, unix_ms or iso. ``signed`` are parts of method, path, query, timestamp,
    nonce, body and body_digest.
    """

    slot: str
    algorithm: str
    encoding: str
    header: str
    timestamp_header: str | None
    timestamp_form: str
    nonce_header: str | None
    signed: tuple[str, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Client credentials (RFC 6749, 4.4); ``in_body``: the secret is sent in the form, else as Basic."""

    token_url: str
    client: str
    slot: str
    scope: str | None
    in_body: bool


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the hub shows the agency; a slot names a secret that stands elsewhere."""

    api_key: ApiKey | None = None
    basic: Basic | None = None
    hmac: Hmac | None = None
    password: str | None = None  # slot
    certificate: str | None = None  # slot
    oauth2: OAuth2 | None = None

    def slots(self) -> frozenset[str]:
        """The names of every secret that is needed."""
        schemes = (self.api_key, self.basic, self.hmac, self.oauth2)
        named = [scheme.slot for scheme in schemes if scheme is not None]
        return frozenset(named + [slot for slot in (self.password, self.certificate) if slot is not None])


@dataclass(frozen=True, slots=True)
class Limits:
    """What an agency's service bears; ``repeatable`` names the offerings that may be asked again."""

    timeout: float = 3.0  # seconds, one try
    concurrency: int = 16
    per_second: float | None = None
    attempts: int = 2
    max_bytes: int = 4_000_000
    max_rows: int = 10_000
    breaker_failures: int = 5
    breaker_seconds: float = 10.0
    repeatable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Telling:
    """Where each part of the purpose is told: header or session setting by part (client, agency, …)."""

    headers: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """A status or code of the agency and what it means; every condition given must hold."""

    meaning: Meaning
    status: int | None = None
    code: str | None = None  # of a GraphQL error
    path: Path | None = None
    equals: str | None = None
    present: bool | None = None
    row: bool = False


@dataclass(frozen=True, slots=True)
class AsOf:
    """Where the agency says how old its data is: in the answer, or in each row (the oldest counts)."""

    path: Path
    form: DateForm
    row: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Where rows stand in an answer, and the key and the rows of one key in an element of them."""

    path: Path
    key: Path | None  # None: the answer to a call for one key does not repeat it
    items: Path | None
    total: Path | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """How the pages of one answer are asked for: ``$page`` counts from ``first``, ``$cursor`` is handed on.

    ``pages``: where an answer says how many pages there are; ``cursor``: where it says what brings the next
    one, nothing at the end. One of them is given. ``most``: pages of one answer.
    """

    first: int
    pages: Path | None
    cursor: Path | None
    most: int


@dataclass(frozen=True, slots=True)
class RestSource:
    """One HTTP call. Strings $key, $keys, $correlation and the parts of the purpose stand for values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: object  # None: no body
    format: Format
    encoding: str
    paging: Paging | None = None


@dataclass(frozen=True, slots=True)
class SqlSource:
    """A view, as schema and name, and its key column."""

    view: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class EntitySource:
    """A Federation entity by its key field."""

    typename: str
    arguments: Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class QuerySource:
    """A root field with an argument that takes the keys (or, if not ``many``, one key)."""

    field: str
    argument: str
    type: str
    many: bool
    arguments: Mapping[str, str | int | bool]


class FileFormat(StrEnum):
    """How a file that is handed over is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that the agency hands over whole, at least ``every`` so often.

    ``name``: ``*`` stands for any characters. ``header``: the line of the columns' names. ``controlled``: a
    control file lies beside it. ``shrink``: by how many percent it may become shorter without an officer's
    word; None: by any. ``mapping``: digest of all that decides which rows it becomes.
    """

    name: str
    format: FileFormat
    encoding: str
    separator: str
    sheet: str | None
    header: int
    controlled: bool
    every: timedelta | None
    tolerance: timedelta | None
    shrink: int | None
    max_rows: int
    max_bytes: int
    mapping: str = ""


Source = RestSource | SqlSource | EntitySource | QuerySource | FileSource


@dataclass(frozen=True, slots=True)
class Offered:
    """An offering of the port with all that its connector needs to supply it."""

    offering: Offering
    source: Source
    rows: Rows
    fields: Mapping[str, FieldRule]
    outcomes: tuple[OutcomeRule, ...]
    missing_is_absent: bool
    as_of: AsOf | None
    tells_inside: bool  # whether the call itself carries parts of the purpose


@dataclass(frozen=True, slots=True)
class Manifest:
    """One connector as its agency declared it."""

    id: str
    agency: str
    kind: Kind
    name_zh: str
    name_en: str
    tell: Tell
    address: HttpAddress | SqlAddress | FileDrop
    credentials: Credentials
    telling: Telling
    limits: Limits
    offerings: tuple[Offered, ...]
