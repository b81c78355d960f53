"""What stands in the place of log and seal where the benchmark leaves them out, to show what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.audit.model import InquiryId, LookedUp, Purpose, SourceUse, SubjectKey
from hub.audit.service import Trail
from hub.evidence.model import Sealed
from hub.kernel.ids import new_id


class NoLog:
    """In the place of the audit service; writes nothing."""

    async def record_intent(
        self,
        purpose: Purpose,
        operation: bytes,
        fields: Mapping[str, Iterable[str]],
        roots: Iterable[SubjectKey],
    ) -> Trail:
        """A trail that nobody reads."""
        return Trail(InquiryId(new_id()))

    async def add_subjects(self, trail: Trail, subjects: Iterable[SubjectKey]) -> None:
        """Nothing."""

    async def record_outcome(self, trail: Trail, looked_up: LookedUp) -> None:
        """Nothing."""


class NoSeal:
    """In the place of the receipt service; signs nothing."""

    def seal(
        self,
        request: Mapping[str, Any],
        response: Mapping[str, Any],
        purpose: Purpose,
        sources: Iterable[SourceUse],
        inquiry: InquiryId,
    ) -> Sealed:
        """A receipt of nothing."""
        return Sealed("", "", b"", b"")
