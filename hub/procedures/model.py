"""What a procedure is: a government service item (政务服务事项) for which facts may be read."""

from __future__ import annotations

from dataclasses import dataclass

from hub.audit.model import AgencyCode, ProcedureCode


@dataclass(frozen=True, slots=True)
class Procedure:
    """A service item by its implementation code (实施编码); ``agency`` decides it, None where several may."""

    code: ProcedureCode
    name_zh: str
    name_en: str
    agency: AgencyCode | None = None
