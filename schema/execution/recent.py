"""Keeps what has been used lately within bounds, and little of what has been used once only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from itertools import chain
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
NEWCOMERS = 100
REMEMBERED = 2_000  # newcomers that had to go, by the hash of their keys


class Recent(Generic[Key, Value]):
    """The most recently used values; the bounds are on their number and on their weight together.

    A newcomer stays among the ``newcomers`` until it is asked for again; one that comes back after it had to
    go is none any more. So a crowd of keys that are never asked for again drives out nobody, and holds no
    more memory than they may, while those that are asked for in turn, however many, are kept (2Q, Johnson
    and Shasha, VLDB 1994).
    """

    def __init__(self, most: int, most_weight: int, newcomers: int = NEWCOMERS) -> None:
        self.most = most
        self.most_weight = most_weight
        self.newcomers = newcomers
        self.weight = 0
        self._new: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._known: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._gone: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known) + len(self._new)

    def __iter__(self) -> Iterator[Key]:
        """The keys, those first that have been asked for again."""
        return chain(self._known, self._new)

    def filtered(self, stays: Callable[[Key, Value], bool]) -> Recent[Key, Value]:
        """Another one with the same bounds that holds what stays, as old as it is here."""
        made: Recent[Key, Value] = Recent(self.most, self.most_weight, self.newcomers)
        for mine, theirs in ((self._new, made._new), (self._known, made._known)):
            theirs.update((key, held) for key, held in mine.items() if stays(key, held[0]))
            made.weight += sum(weight for _, weight in theirs.values())
        return made

    def peek(self, key: Key) -> Value | None:
        """The value, which is no younger for it."""
        found = self._known.get(key) or self._new.get(key)
        return found[0] if found is not None else None

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
        came_back = self._gone.pop(hash(key), self) is None
        (self._known if came_back else self._new)[key] = value, weight
        self.weight += weight
        least = 0 if came_back else 1  # the newest newcomer is not let go at once
        while len(self._new) > self.newcomers or len(self) > self.most or self.weight > self.most_weight:
            self._let_go(self._new if len(self._new) > least else self._known)

    def _let_go(self, aging: OrderedDict[Key, tuple[Value, int]]) -> None:
        key, (_, weight) = aging.popitem(last=False)
        self.weight -= weight
        self._gone[hash(key)] = None
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
