"""Decides who lives in the demo city: household by household, each from its own seed, every number unique."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from hub.demo import names
from hub.demo.model import Person
from hub.demo.regions import ABOLISHED, ELSEWHERE, TWENTIETHS, Region, home_address
from hub.subjects.rules import check_digit_resident_id

HOUSEHOLD = 4
SERIALS, SLOTS, DAYS = 998, len(TWENTIETHS), 365
NUMBERS = SERIALS * SLOTS * DAYS
"""How many people can be told apart by serial, twentieth and day of the year alone: over seven million."""
STRIDE = 6_700_417  # a prime that divides no factor of NUMBERS: neighbours get unlike numbers
OFFSET = 2 * 7919  # even, so that the even members of a household are male

MINORITIES = (("03", 0.02), ("11", 0.006), ("10", 0.003))


def seeded(seed: int, kind: int, index: int) -> Random:
    """The random numbers of one thing of the city, independent of all others."""
    return Random((seed << 48) | (kind << 40) | index)  # noqa: S311 - the city is drawn by lot, on purpose


def household(seed: int, number: int) -> tuple[Person, ...]:
    """The four members of a household: a couple, and their children or his parents."""
    random = seeded(seed, 1, number)
    first = number * HOUSEHOLD
    year = SETTLED_HOUSEHOLDS.get(number) or int(random.triangular(1938, 2004, 1978))
    married = number in SETTLED_HOUSEHOLDS or (year <= 2000 and random.random() < 0.86)
    years = (year, min(year + random.randint(-3, 3), 2004), *_other_years(random, year))
    ethnicity = _ethnicity(random)
    people = [_person(seed, first + place, born, ethnicity, random) for place, born in enumerate(years)]
    return _as_family(people, married, random)


def people(seed: int, count: int) -> Iterator[Person]:
    """Everyone, one household at a time; nothing is kept."""
    for number in range(count // HOUSEHOLD):
        yield from household(seed, number)


SETTLED_HOUSEHOLDS = {0: 1984, 1: 1940, 2: 1952, 4: 1980, 5: 1979}
"""Couples whose year of birth the stories told with them need."""


def _other_years(random: Random, year: int) -> tuple[int, int]:
    if year > 1990 or random.random() < 0.15:
        return year - random.randint(24, 32), year - random.randint(22, 30)
    eldest = year + random.randint(23, 31)
    return min(eldest, 2025), min(eldest + random.randint(1, 7), 2025)


def _ethnicity(random: Random) -> str:
    drawn = random.random()
    for code, share in MINORITIES:
        if drawn < share:
            return code
        drawn -= share
    return "01"


def _person(seed: int, index: int, year: int, ethnicity: str, random: Random) -> Person:
    number = (index * STRIDE + OFFSET + 2 * 104_729 * seed) % NUMBERS
    serial, rest = number % SERIALS + 1, number // SERIALS
    slot, day = rest % SLOTS, rest // SLOTS
    region, turn = TWENTIETHS[slot]
    birthplace, year = _birthplace(random, region, turn, slot, year)
    born = date(year, 1, 1) + timedelta(day)
    body = f"{birthplace}{born:%Y%m%d}{serial:03}"
    male = serial % 2 == 1
    return Person(
        index=index,
        id_number=body + check_digit_resident_id(body),
        name=names.surname(random, ethnicity) + names.given_name(random, male, year),
        sex="1" if male else "2",
        born=born.isoformat(),
        ethnicity=ethnicity,
        region=region.code,
        address="",
        relation="",
        head="",
        spouse=None,
        deceased=year < 1965 and random.random() < (1975 - year) / 120,
    )


def _birthplace(random: Random, region: Region, turn: int, slot: int, year: int) -> tuple[str, int]:
    """Region code and birth year such that serial, day, region and year never meet twice.

    A region's twentieths share its code, so each keeps to its own years; those who moved in
    share the counties of the whole country, so each twentieth keeps to its own years of twenty.
    """
    shift, drawn = (year - slot) % SLOTS, random.random()
    if shift < 3 and drawn < 0.6:
        old = 1950 < year < 1990 and drawn < 0.05
        return random.choice(ABOLISHED if old else ELSEWHERE), year - shift
    return region.code, year - (year - turn) % region.weight


def _as_family(people: list[Person], married: bool, random: Random) -> tuple[Person, ...]:
    husband, wife, *others = people
    region = next(region for region, _ in TWENTIETHS if region.code == husband.region)
    home = home_address(region, random)
    moved = [replace(person, region=region.code, address=home, head=husband.name) for person in people]
    children = others[0].born_year > husband.born_year
    moved[0] = replace(moved[0], relation="户主", spouse=wife.index if married else None)
    moved[1] = replace(
        moved[1], relation="妻" if married else "姐妹", spouse=husband.index if married else None
    )
    family = _surname_of(husband)
    for place in (2, 3):
        male = people[place].sex == "1"
        relation = ("子" if male else "女") if children else ("父亲" if male else "母亲")
        shares = children or male
        name = family + _given_of(people[place]) if shares else people[place].name
        moved[place] = replace(moved[place], name=name, relation=relation)
    return tuple(moved)


def _surname_of(person: Person) -> str:
    return person.name[:2] if person.name[:2] in names.SURNAMES else person.name[0]


def _given_of(person: Person) -> str:
    return person.name[len(_surname_of(person)) :]


def is_adult(person: Person) -> bool:
    """Whether the person may represent a business: of age, alive, and not too old to sign."""
    return 20 <= person.age <= 80 and not person.deceased
