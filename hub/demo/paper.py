"""Decides how one certificate of the demo city is numbered, issued and made invalid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from hub.demo.authorities import Registry
from hub.demo.model import TODAY, Certificate
from hub.subjects.rules import compose_licence_identifier

Claims = Mapping[str, str | bool | None]
VALID, LAPSED, DEREGISTERED, REVOKED = "01", "05", "04", "07"


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when a certificate holds; no end means for good."""

    issued: date
    until: date | None = None

    @property
    def status(self) -> str:
        """Valid, or lapsed when the end has passed."""
        return LAPSED if self.until is not None and self.until < TODAY else VALID


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds: code and its scheme, name, region of the issuer, and a number unique among holders."""

    code: str
    scheme: str
    name: str
    region: str
    index: int


class Press:
    """Prints certificates: gives each its issuer and its GB/T 36904 identifier."""

    def __init__(self, standards: Mapping[str, str]) -> None:
        self._standards = standards
        self._registry = Registry()

    def certificate(
        self, kind: str, holder: Holder, number: str, term: Term, claims: Claims, status: str | None = None
    ) -> Certificate:
        """A certificate of this type; ``status`` overrules what the term says."""
        issuer, issuer_name = self._registry.issuer(kind, holder.region)
        serial = f"{term.issued.year}{holder.index:08}"
        return Certificate(
            type=kind,
            identifier=compose_licence_identifier(self._standards[kind], issuer, serial, "001"),
            number=number,
            holder=holder.code,
            holder_scheme=holder.scheme,
            holder_name=holder.name,
            issuer=issuer,
            issuer_name=issuer_name,
            issued_on=term.issued,
            valid_from=term.issued,
            valid_until=term.until,
            status=status or term.status,
            claims=claims,
        )


def issued_within(random: Random, days: int, earliest: date | None = None) -> date:
    """A day of issue at most so many days ago, and not before the earliest."""
    day = TODAY - timedelta(random.randrange(20, days))
    return max(day, earliest) if earliest else day


def term_of(random: Random, years: int, days: int, earliest: date | None = None) -> Term:
    """A term of so many years; issued at most so many days ago, so that some have lapsed."""
    issued = issued_within(random, days, earliest)
    return Term(issued, after(issued, years) - timedelta(1))


def after(day: date, years: int) -> date:
    """The same day so many years later; the end of February for its 29th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
