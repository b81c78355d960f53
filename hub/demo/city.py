"""Decides the demo city as a whole: everything in it follows from a seed and the number of people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from hub.demo import cast, papers_of_businesses, papers_of_people
from hub.demo.businesses import business, other_roles
from hub.demo.model import Business, Certificate, Person, Role
from hub.demo.paper import Press
from hub.demo.people import HOUSEHOLD, NUMBERS, household, is_adult, seeded
from hub.demo.records import evidence_standards

LEAST_PEOPLE, MOST_PEOPLE = 500, NUMBERS
REMEMBERED = 256  # households: an owner is looked at several times for one business


class City:
    """A city of so many people (rounded up to whole households) and three businesses for every ten of them.

    Everything is computed when it is asked for and next to nothing is kept, so a city of a million needs
    no more memory than one of five hundred. Raises ValueError for a number outside of
    LEAST_PEOPLE to MOST_PEOPLE.
    """

    def __init__(self, people: int = 5000, seed: int = 1) -> None:
        if not LEAST_PEOPLE <= people <= MOST_PEOPLE:
            raise ValueError(f"people: from {LEAST_PEOPLE} to {MOST_PEOPLE}")
        self.seed = seed
        self.households = -(-people // HOUSEHOLD)
        self.people_count = self.households * HOUSEHOLD
        self.business_count = self.people_count * 3 // 10
        self._press = Press(evidence_standards())
        self._people_parts = cast.read_people()
        self._business_parts = cast.read_businesses()
        self.household = lru_cache(REMEMBERED)(self._household)
        """The four members of one household, by its number."""

    def _household(self, number: int) -> tuple[Person, ...]:
        family = household(self.seed, number)
        if not any(person.index in self._people_parts for person in family):
            return family
        return tuple(
            self._people_parts[person.index].change(person) if person.index in self._people_parts else person
            for person in family
        )

    def person(self, index: int) -> Person:
        """One person."""
        return self.household(index // HOUSEHOLD)[index % HOUSEHOLD]

    def families(self) -> Iterator[tuple[Person, ...]]:
        """Every household, one at a time."""
        return map(self.household, range(self.households))

    def business(self, index: int) -> Business:
        """One business."""
        part = self._business_parts.get(index)
        owner = self.person(part.owner) if part and part.owner is not None else self._owner(index)
        return business(self.seed, index, owner, part)

    def businesses(self) -> Iterator[Business]:
        """Every business, one at a time."""
        return map(self.business, range(self.business_count))

    def roles(self, firm: Business) -> Iterator[Role]:
        """Who is what in a business; the legal representative first, every pair of person and role once."""
        random = seeded(self.seed, 6, firm.index)
        owner = firm.legal_representative
        yield Role(owner, "LEGAL_REPRESENTATIVE", firm.established)
        if firm.index == cast.CROWDED:
            yield from (Role(person, "SHAREHOLDER", firm.established) for person in self._crowd())
            return
        taken = {(owner, "LEGAL_REPRESENTATIVE")}
        for place, role in enumerate(other_roles(random, firm.legal_form)):
            person = owner if place == 0 else random.randrange(self.households) * HOUSEHOLD + place % 2
            if (person, role) not in taken:
                taken.add((person, role))
                yield Role(person, role, min(firm.established + timedelta(place * 400), date(2026, 6, 1)))

    def certificates_of_family(self, family: tuple[Person, ...]) -> Iterator[Certificate]:
        """Everything that the members of a household hold."""
        for person in family:
            yield from papers_of_people.of_person(self._press, self.seed, person, family)

    def certificates_of_business(self, firm: Business) -> Iterator[Certificate]:
        """Everything that a business holds."""
        owner = self.person(firm.legal_representative).name
        return papers_of_businesses.of_business(self._press, self.seed, firm, owner)

    def _owner(self, index: int) -> Person:
        """The head of a household, or his wife, who may represent this business."""
        start, place = seeded(self.seed, 7, index).randrange(self.households), index % 2
        for step in range(self.households):
            person = self.household((start + step) % self.households)[place]
            if is_adult(person) and person.index not in self._people_parts:
                return person
        return self.person(cast.MANAGER)

    def _crowd(self) -> Iterator[int]:
        yield cast.MANAGER
        first = cast.MANAGER // HOUSEHOLD + 1
        for turn in range(cast.CROWD - 1):
            yield (first + turn // 2) * HOUSEHOLD + turn % 2
