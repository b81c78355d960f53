"""Decides whether the names of the hub's packages are its own in this environment."""

from __future__ import annotations

from importlib.metadata import packages_distributions

from hub.kernel.errors import Code, HubError

DISTRIBUTION = "proofless"
PACKAGES = ("hub", "schema", "connectors")


def occupied_names() -> tuple[str, ...]:
    """The hub's package names that another distribution owns as well."""
    owners = packages_distributions()
    return tuple(name for name in PACKAGES if set(owners.get(name, ())) - {DISTRIBUTION})


def refuse_occupied_names() -> None:
    """Raise HubError(NAME_OCCUPIED): else somebody else's code might run in the hub's place."""
    occupied = occupied_names()
    if occupied:
        raise HubError(Code.NAME_OCCUPIED, part=", ".join(occupied))
