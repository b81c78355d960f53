"""What a grant allows, and the permit that one question gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.audit.model import AgencyCode, ClientId, ProcedureCode
from hub.catalogue.model import FieldCode, RecordCode


@dataclass(frozen=True, slots=True)
class Grant:
    """A client may read these fields of one record, for this agency and procedure, before ``until`` (aware).

    Every part is named; there are no wildcards.
    """

    client: ClientId
    agency: AgencyCode
    procedure: ProcedureCode
    record: RecordCode
    fields: frozenset[FieldCode]
    until: datetime


@dataclass(frozen=True, slots=True)
class Permit:
    """The yes to one question: what may be read for it, which is exactly what was asked."""

    fields: Mapping[RecordCode, frozenset[FieldCode]]
