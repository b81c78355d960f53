"""Holds the names that people and businesses of the demo city are given."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import accumulate
from random import Random

DESCRIBED = tomllib.loads(files("hub.demo").joinpath("names.toml").read_text("utf-8"))
SURNAMES = tuple(DESCRIBED["surnames"])
SURNAME_WEIGHTS = tuple(accumulate(DESCRIBED["surnames"].values()))
MINORITY_SURNAMES = DESCRIBED["minority_surnames"]
GIVEN = DESCRIBED["given"]
SHOP_WORDS = DESCRIBED["business"]["words"]


def surname(random: Random, ethnicity: str = "01") -> str:
    """A surname, weighted as in the city, or one that is frequent with the ethnicity (GB/T 3304)."""
    own = MINORITY_SURNAMES.get(ethnicity)
    return str(random.choice(own) if own else random.choices(SURNAMES, cum_weights=SURNAME_WEIGHTS)[0])


def given_name(random: Random, male: bool, year: int) -> str:
    """A given name in the fashion of the year of birth; one character or more."""
    fashion = "old" if year < 1955 else "mid" if year < 1982 else "new"
    return str(random.choice(GIVEN[f"{fashion}_{'male' if male else 'female'}"]))
