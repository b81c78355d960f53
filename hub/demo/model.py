"""What the demo city is made of: people, businesses, their roles, and the certificates they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

TODAY = date(2026, 11, 20)
"""The day on which the city was drawn; nothing in it depends on the wall clock."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person. ``born`` is what the register knows: YYYY, YYYY-MM or YYYY-MM-DD."""

    index: int
    id_number: str
    name: str
    sex: str  # GB/T 2261.1
    born: str
    ethnicity: str  # GB/T 3304
    region: str  # GB/T 2260
    address: str
    relation: str  # to the head of the household
    head: str  # name of the head of the household
    spouse: int | None
    deceased: bool = False
    under_investigation: bool = False
    without_certificates: bool = False

    @property
    def born_year(self) -> int:
        """The year of birth, which is always known."""
        return int(self.born[:4])

    @property
    def age(self) -> int:
        """Whole calendar years; good enough to decide what a person may hold."""
        return TODAY.year - self.born_year


@dataclass(frozen=True, slots=True)
class Business:
    """One business. ``capital`` is a decimal string in ``currency`` (ISO 4217), None where there is none."""

    index: int
    uscc: str
    name: str
    legal_form: str
    trade: str
    capital: str | None
    currency: str
    established: date
    scope: str
    region: str
    address: str
    licence_address: str  # as printed on the licence: sometimes another one
    status: str
    legal_representative: int  # index of the person


@dataclass(frozen=True, slots=True)
class Role:
    """What a person is to a business."""

    person: int
    role: str
    since: date


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate or licence. ``claims`` are the type's own fields by field code, as the hub's values."""

    type: str
    identifier: str
    number: str
    holder: str
    holder_scheme: str
    holder_name: str
    issuer: str
    issuer_name: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    status: str
    claims: Mapping[str, str | bool | None]
