"""How large one answer may become: a small question can lead to very many values."""

from __future__ import annotations

from hub.kernel.errors import HubError
from schema.limits import too_large

MOST_VALUES = 100_000
MOST_ERRORS = 2_000


class Budget:
    """The values and errors that one answer may still hold; who asks for more gets a refusal of the whole."""

    def __init__(self) -> None:
        self.left = MOST_VALUES

    def spend(self, values: int) -> None:
        """Takes so many values; raises HubError(DOCUMENT_TOO_LARGE) when they are not there."""
        self.left -= values
        self.check()

    def check(self) -> None:
        """Raises HubError(DOCUMENT_TOO_LARGE) when more was asked for than there was."""
        if self.left < 0:
            raise oversized("values", MOST_VALUES)

    def errors(self, count: int) -> None:
        """Raises HubError(DOCUMENT_TOO_LARGE) for more errors than one answer may tell."""
        if count > MOST_ERRORS:
            raise oversized("errors", MOST_ERRORS)


def oversized(limit: str = "values", maximum: int = MOST_VALUES) -> HubError:
    """The refusal of an answer over one of the bounds."""
    problem = too_large(limit, maximum)
    return HubError(problem.code, **problem.detail)
