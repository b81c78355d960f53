"""The small town's hub, for the test that watches one question being answered."""

from tests.graphql.conftest import counter, town

__all__ = ["counter", "town"]
