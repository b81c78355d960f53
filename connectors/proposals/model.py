"""What is found in an agency's own material, and what is said of each guess that is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connectors.manifest.model import Kind
from connectors.mapping import Path


class Declared(StrEnum):
    """What a source says itself of a column's values."""

    TEXT = "text"
    TEXTS = "texts"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"


class Note(StrEnum):
    """Why a line is as it is, or what must be written there; whoever shows it has words for each."""

    FILL_AGENCY = "fill_agency"
    FILL_URL = "fill_url"
    FILL_USER = "fill_user"
    FILL_CLIENT = "fill_client"
    FILL_TOKEN_URL = "fill_token_url"  # noqa: S105 - a note, no secret
    FILL_VALUE = "fill_value"
    FILL_FOUND = "fill_found"
    FILL_BASIS = "fill_basis"
    FILL_CODES = "fill_codes"
    ID = "id"
    NAME = "name"
    RECORD = "record"
    FRESHNESS = "freshness"
    SHARING = "sharing"
    HOLDERS = "holders"
    SENSITIVITY = "sensitivity"
    ADDRESS = "address"
    CREDENTIALS = "credentials"
    KEY = "key"
    BATCH = "batch"
    ROWS = "rows"
    MANY = "many"
    PAGING = "paging"
    CONSTANT = "constant"
    FOUND = "found"
    ABSENT = "absent"
    AS_OF = "as_of"
    FILE = "file"
    BY_NAME = "by_name"
    BY_PINYIN = "by_pinyin"
    BY_INITIALS = "by_initials"
    BY_PARTS = "by_parts"
    BY_VALUES = "by_values"
    AS_DECLARED = "as_declared"
    UNKNOWN = "unknown"
    RENAMED = "renamed"
    CODES = "codes"
    DIGITS_LOST = "digits_lost"
    LEFT_OUT = "left_out"


class Reason(StrEnum):
    """Why nothing can be proposed; whoever shows it has words for each."""

    NO_FILE = "no_file"
    TOO_LARGE = "too_large"
    ENCODING = "encoding"
    NOT_A_DOCUMENT = "not_a_document"
    TOO_MANY_PARTS = "too_many_parts"
    MERGE_KEY = "merge_key"
    UNKNOWN_KIND = "unknown_kind"
    NOT_OPENAPI = "not_openapi"
    REMOTE_REFERENCE = "remote_reference"
    BROKEN_REFERENCE = "broken_reference"
    NO_LOOKUP = "no_lookup"
    CHOICE_UNKNOWN = "choice_unknown"
    PATH_UNSUPPORTED = "path_unsupported"
    SEVERAL_PARAMETERS = "several_parameters"
    BODY_UNSUPPORTED = "body_unsupported"
    NO_FIELDS = "no_fields"
    NOT_GRAPHQL = "not_graphql"
    NO_HEADER = "no_header"
    NOT_A_WORKBOOK = "not_a_workbook"
    UNPACKS_TOO_FAR = "unpacks_too_far"
    URL_INVALID = "url_invalid"
    PASSWORD_IN_URL = "password_in_url"  # noqa: S105 - a reason, no secret
    LOGIN_REFUSED = "login_refused"
    UNREACHABLE = "unreachable"
    NO_VIEWS = "no_views"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing can be proposed; ``place`` names a part of the source, never a value."""

    reason: Reason
    place: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several that could be meant: what to choose it by, what it is, and what speaks for it."""

    given: str
    shown: str
    key: str


@dataclass(frozen=True, slots=True)
class Choices:
    """Several could be meant, the likeliest first."""

    listed: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One thing a row holds; ``values`` are of a sample and never written out but as few distinct codes.

    ``codes`` are values that the source declares by itself. ``digits_lost``: long numbers stand there as
    numbers.
    """

    path: Path
    title: str = ""
    declared: Declared | None = None
    values: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    digits_lost: bool = False

    @property
    def name(self) -> str:
        """The last step of its path."""
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of TOML with the notes on it; a line of notes alone has no text."""

    text: str
    notes: tuple[Note, ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a reader found, in the manifest's own words where they depend on the kind.

    ``address`` and ``credentials`` stand in ``[connector]``; ``source`` and ``outcomes`` in the offering.
    """

    kind: Kind
    title: str
    address: tuple[Line, ...]
    credentials: tuple[Line, ...]
    source: tuple[Line, ...]
    outcomes: tuple[Line, ...]
    key: Column
    columns: tuple[Column, ...]
    many: bool = False
    batch: int = 1
    absent_when_missing: bool = False
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the officer said herself."""

    id: str | None = None
    agency: str | None = None
    choice: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A manifest and a sheet of one evidence type, both TOML; ``digits_lost`` names columns."""

    id: str
    manifest: str
    sheet: str
    marks: int
    digits_lost: tuple[str, ...]


Words = Mapping[Note, str]
