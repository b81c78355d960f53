"""The hub with neither seal nor log, which the product itself never is: it shows what the two cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from hub.asgi import application
from hub.audit.model import InquiryId, LookedUp, Purpose, SourceUse, SubjectKey
from hub.audit.service import Trail
from hub.command.serve import run
from hub.evidence.model import Sealed
from hub.http.crowd import Crowd
from hub.kernel.ids import new_id
from hub.kernel.log import configure_logging
from hub.kernel.settings import Settings, settings_of_process
from hub.wiring import open_hub


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


def create(settings: Settings) -> ASGIApp:
    """The application of ``hub serve`` with the two parts taken out."""
    registry = CollectorRegistry()
    hub = open_hub(settings, registry)
    facts: Any = hub.answering.facts
    facts.audit = NoLog()
    facts.receipts = NoSeal()
    return Crowd(application(hub, registry), settings.max_requests)


if __name__ == "__main__":
    configured = settings_of_process()
    configure_logging(configured.log_level)
    run(configured, create)
