"""Fixtures of the connector tests: one agency database and one authority for all of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.connectors.agency_database import make_agency
from tests.connectors.certificates import Authority


@pytest.fixture(scope="session")
def agency_database(cluster: Any) -> str:
    """The URL, as administrator, of a database with the agency's views; tests only read it."""
    made = asyncio.run(cluster.make(empty=True))
    asyncio.run(make_agency(made.admin))
    return str(made.admin)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Signs the certificates of all tests."""
    return Authority()
