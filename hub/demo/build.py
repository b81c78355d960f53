"""Makes the demo city once: finds it whole, or draws it anew into the stores of its agencies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from hub.demo.city import City
from hub.demo.place import Made, Place
from hub.demo.stores import write_licences, write_market, write_police
from hub.kernel.db.embedded import EmbeddedPostgres, Roles

MARKET = "market"
MARKET_ROLES = Roles("market_owner", ("market_reader",), "market_read")
PEOPLE, SEED = 5000, 1


class Progress(Protocol):
    """Shows how far a long work has come."""

    def step(self, name: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Begins a step of so many parts; the function it gives is told how many more are done."""
        ...


def market_server(place: Place) -> EmbeddedPostgres:
    """The PostgreSQL of market regulation, not started."""
    return EmbeddedPostgres(place.market_folder, (MARKET,), roles=MARKET_ROLES)


def ensure_city(
    place: Place,
    server: EmbeddedPostgres,
    progress: Progress,
    people: int | None = None,
    seed: int | None = None,
) -> City:
    """The city of the folder; drawn when there is none that is whole, or one with other numbers is wanted.

    What is not given stays as it is. The market's ``server`` runs. A crash on the way leaves no
    half-made city: the next call draws it anew.
    """
    present = place.made()
    people = people or (present.people if present else PEOPLE)
    seed = seed if seed is not None else present.seed if present else SEED
    city = City(people, seed)
    wanted = Made(city.people_count, seed)
    if present == wanted:
        return city
    place.begin()
    _draw(city, place, server.dsn(MARKET_ROLES.owner, MARKET), progress)
    place.finish(wanted)
    return city


def _draw(city: City, place: Place, dsn: str, progress: Progress) -> None:
    people, businesses = city.people_count, city.business_count
    with progress.step("公安 · public security", people) as advance:
        write_police(city, place.folder / "police.sqlite", advance)
    with progress.step("市场监管 · market regulation", businesses) as advance:
        asyncio.run(write_market(city, dsn, advance))
    with progress.step("电子证照 · licence store", people + businesses) as advance:
        write_licences(city, place.folder / "licences.sqlite", advance)
