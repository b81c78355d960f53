"""Keeps what has been used lately within bounds, and little of what has been used once only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
NEWCOMERS = 100


class Recent(Generic[Key, Value]):
    """The most recently used values; the bounds are on their number and on their weight together.

    A newcomer stays among the ``newcomers`` until it is asked for again. So a crowd of keys that are
    never asked for again drives out nobody, and holds no more memory than they may (2Q, Johnson and
    Shasha, VLDB 1994).
    """

    def __init__(self, most: int, most_weight: int, newcomers: int = NEWCOMERS) -> None:
        self.most = most
        self.most_weight = most_weight
        self.newcomers = newcomers
        self.weight = 0
        self._new: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._known: OrderedDict[Key, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known) + len(self._new)

    def __iter__(self) -> Iterator[Key]:
        """The keys, those first that have been asked for again."""
        return chain(self._known, self._new)

    def get(self, key: Key) -> Value | None:
        """The value, which from now on is no newcomer."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found[0]
        found = self._new.pop(key, None)
        if found is None:
            return None
        self._known[key] = found
        return found[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keeps a value whose key is not there yet, unless it alone is too much, and lets go of others."""
        if weight > self.most_weight or not self.most:
            return
        self._new[key] = value, weight
        self.weight += weight
        while len(self._new) > self.newcomers or len(self) > self.most or self.weight > self.most_weight:
            aging = self._new if len(self._new) > 1 else self._known
            _, (_, gone) = aging.popitem(last=False)
            self.weight -= gone
