"""Holds the demo city's real regions (GB/T 2260), their streets and towns, and where its people come from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from random import Random

CITY = "370300"
CITY_NAME = "山东省淄博市"


@dataclass(frozen=True, slots=True)
class Region:
    """A county or district of the city; ``weight`` is its share of the people in twentieths."""

    code: str
    name: str
    english: str
    weight: int
    towns: tuple[str, ...]


DESCRIBED = tomllib.loads(files("hub.demo").joinpath("regions.toml").read_text("utf-8"))
REGIONS = tuple(Region(**{**region, "towns": tuple(region["towns"])}) for region in DESCRIBED["regions"])
"""The eight counties and districts of Zibo with their weights, which sum to twenty."""

TWENTIETHS = tuple((region, turn) for region in REGIONS for turn in range(region.weight))
"""One entry a twentieth of the people: its region, and which of the region's twentieths it is."""

ABOLISHED = tuple(DESCRIBED["abolished"])
"""Codes that were in force at birth and have been abolished since."""

ELSEWHERE = tuple(DESCRIBED["elsewhere"])
"""Counties and districts outside the city, as birthplaces of those who moved in."""

PLACES = DESCRIBED["places"]


def region_of(code: str) -> Region:
    """The region of the city with this GB/T 2260 code; KeyError for one outside of it."""
    return {region.code: region for region in REGIONS}[code]


def region_names() -> dict[str, tuple[str, str | None]]:
    """Name and parent of every region that the city knows by its code."""
    city = {CITY: (CITY_NAME, None)}
    own = {region.code: (region.name, CITY) for region in REGIONS}
    others = {
        code: (name, None) for code, name in {**DESCRIBED["elsewhere"], **DESCRIBED["abolished"]}.items()
    }
    return {**city, **own, **others}


def home_address(region: Region, random: Random) -> str:
    """Where a household lives, as a household register writes it."""
    town = random.choice(region.towns)
    if town.endswith("镇") and random.random() < 0.7:
        village = random.choice(PLACES["village_prefixes"]) + random.choice(PLACES["villages"])
        return f"{CITY_NAME}{region.name}{town}{village}{random.randint(1, 320)}号"
    road, estate = random.choice(PLACES["roads"]), random.choice(PLACES["estates"])
    building, stair = random.randint(1, 36), random.randint(1, 4)
    flat = f"{building}号楼{stair}单元{random.randint(1, 26)}{random.randint(1, 4):02}室"
    return f"{CITY_NAME}{region.name}{town}{road}{random.randint(1, 288)}号{estate}{flat}"


def business_address(region: Region, random: Random) -> str:
    """Where a business sits, as a business licence writes it."""
    town, road = random.choice(region.towns), random.choice(PLACES["roads"])
    place = random.choice(PLACES["businesses"])
    room = f"{random.randint(1, 20)}{random.randint(1, 30):02}"
    return f"{CITY_NAME}{region.name}{town}{road}{random.randint(1, 399)}号{place}{room}"
