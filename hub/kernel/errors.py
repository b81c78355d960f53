"""The closed, numbered list of everything the hub can say no with, and how a "no" travels as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from types import MappingProxyType

NO_DETAIL: Mapping[str, str] = MappingProxyType({})


class Next(StrEnum):
    """What the reader of an error does next; the first digit of the number says the same."""

    ASK_DIFFERENTLY = "ask_differently"
    TRY_LATER = "try_later"
    ANOTHER_WAY = "another_way"
    CALL_A_PERSON = "call_a_person"


class Code(Enum):
    """One numbered error: its number and the HTTP status it has when it refuses a whole request.

    A number is never re-used. Its texts (title, explanation, next step) stand in ``hub/texts``
    under the same number, in Chinese and English.
    """

    # 1xx: ask differently
    BODY_NOT_UTF8 = (101, 400)
    BODY_NOT_JSON = (102, 400)
    BODY_DUPLICATE_KEY = (103, 400)
    BODY_TOO_LARGE = (104, 413)
    REQUEST_SHAPE = (105, 400)
    MEDIA_TYPE_UNSUPPORTED = (106, 415)
    METHOD_NOT_ALLOWED = (107, 405)
    NOT_ACCEPTABLE = (108, 406)
    ROUTE_UNKNOWN = (109, 404)
    DOCUMENT_SYNTAX = (110, 400)
    DOCUMENT_INVALID = (111, 400)
    OPERATION_UNKNOWN = (112, 400)
    VARIABLE_INVALID = (113, 400)
    DOCUMENT_TOO_LARGE = (114, 400)
    LIST_TOO_LONG = (115, 400)
    NUMBER_NOT_PORTABLE = (116, 400)
    RESIDENT_ID_INVALID = (117, 400)
    USCC_INVALID = (118, 400)
    DATE_INVALID = (119, 400)
    EVIDENCE_TYPE_UNKNOWN = (120, 400)
    CLAIM_UNKNOWN = (121, 400)
    CURSOR_INVALID = (122, 400)
    PAGE_SIZE_INVALID = (123, 400)
    REQUEST_TOO_SLOW = (124, 408)
    REPRESENTATION_INVALID = (125, 400)
    PAGE_NEEDED = (126, 400)
    ARGUMENT_INVALID = (127, 400)
    DOCUMENT_UNKNOWN = (128, 400)
    COST_TOO_HIGH = (129, 400)
    TOKEN_MISSING = (130, 401)
    TOKEN_INVALID = (131, 401)
    TOKEN_EXPIRED = (132, 401)
    CLIENT_AUTHENTICATION_FAILED = (133, 401)
    GRANT_TYPE_UNSUPPORTED = (134, 400)
    TOKEN_REQUEST_INVALID = (135, 400)
    ASSERTION_REPLAYED = (136, 401)
    PURPOSE_MISSING = (140, 400)
    PURPOSE_MALFORMED = (141, 400)
    PROCEDURE_UNKNOWN = (142, 400)
    AGENCY_NOT_DELEGATED = (143, 403)
    OVER_ASKED = (144, 403)
    INTROSPECTION_NOT_ALLOWED = (145, 403)
    NAME_MISMATCH = (146, 403)
    DOCUMENT_NOT_TRUSTED = (147, 403)
    HTTP_INVALID = (150, 400)
    HEAD_TOO_LARGE = (151, 431)

    # 2xx: try later
    LOG_UNAVAILABLE = (201, 503)
    OUTCOME_UNRECORDED = (202, 503)
    STORE_UNAVAILABLE = (203, 503)
    HUB_BUSY = (204, 503)
    RATE_LIMITED = (205, 429)
    QUOTA_USED_UP = (206, 429)
    SOURCE_TIMEOUT = (211, 504)
    SOURCE_UNREACHABLE = (212, 502)
    SOURCE_BUSY = (213, 503)
    SOURCE_PAUSED = (214, 503)
    SOURCE_PENDING = (215, 503)
    SOURCE_MAINTENANCE = (216, 503)

    # 3xx: another way exists
    SOURCE_FAILED = (301, 502)
    SOURCE_MALFORMED = (302, 502)
    SOURCE_TOO_LARGE = (303, 502)
    SOURCE_REFUSED = (304, 502)
    SOURCE_WRONG_SUBJECT = (305, 502)
    SOURCE_CODE_UNKNOWN = (306, 502)
    SOURCE_ADDRESS_REFUSED = (307, 502)
    SOURCE_INCOMPLETE = (308, 502)
    SOURCE_LOGIN_REFUSED = (309, 502)
    NO_OFFERING = (310, 503)
    NOT_SHARED = (311, 403)
    SOURCE_LATE = (312, 503)

    # 4xx: call a person
    INTERNAL = (401, 500)
    CLIENT_SUSPENDED = (402, 403)
    SETTING_INVALID = (410, 500)
    NAME_OCCUPIED = (411, 500)
    DATABASE_UNREACHABLE = (412, 500)
    DATABASE_NOT_MIGRATED = (413, 500)
    MIGRATION_CHANGED = (414, 500)
    EMBEDDED_DATABASE_FAILED = (415, 500)
    MANIFEST_INVALID = (420, 400)
    TRUSTED_DOCUMENT_INVALID = (421, 400)
    QUOTA_INVALID = (422, 400)
    TRUSTED_DOCUMENT_STALE = (423, 400)
    CONNECTOR_OF_ANOTHER = (424, 403)
    FOUR_EYES = (425, 403)
    STEP_NOT_POSSIBLE = (426, 400)
    CONNECTOR_UNKNOWN = (427, 400)
    OFFICER_UNKNOWN = (428, 403)
    KEY_UNREADABLE = (430, 500)
    EXCHANGE_UNREADABLE = (440, 400)
    RECEIPT_INVALID = (441, 400)
    JWKS_UNREADABLE = (442, 400)
    DEMO_FAILED = (450, 500)
    FILE_REFUSED = (460, 400)
    LOAD_UNKNOWN = (461, 400)
    IMPORT_REFUSED = (470, 400)
    IMPORT_AMBIGUOUS = (471, 400)
    PROPOSAL_NOT_WRITTEN = (472, 400)

    def __init__(self, number: int, status: int) -> None:
        self.number = number
        self.status = status

    @property
    def label(self) -> str:
        """The form in which it is shown and searched: ``HUB-144``."""
        return f"HUB-{self.number}"

    @property
    def next(self) -> Next:
        """What to do next, told by the first digit."""
        return tuple(Next)[self.number // 100 - 1]


@dataclass(frozen=True, slots=True)
class Problem:
    """A "no" as a value: its code, and details that name fields and types but never values."""

    code: Code
    detail: Mapping[str, str] = field(default_factory=lambda: NO_DETAIL)


class HubError(Exception):
    """Carries a Problem through code that cannot return one; turned into words only at the edge."""

    def __init__(self, code: Code, /, **detail: str) -> None:
        self.problem = Problem(code, MappingProxyType(detail))
        super().__init__(f"{code.label} {code.name.lower()}")
