"""What a region is: an administrative division with its code and name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

RegionCode = NewType("RegionCode", str)  # GB/T 2260 (6 digits), with street (9) and village (12) codes


@dataclass(frozen=True, slots=True)
class Region:
    """A province, city, county, street or village, and the region it lies in."""

    code: RegionCode
    name: str
    parent: RegionCode | None = None
