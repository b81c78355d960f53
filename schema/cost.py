"""Estimates before any work what an operation costs: over its fetches, calls to agencies times rows.

A fetch costs ``calls × rows``, with ``calls = ⌈keys ÷ batch⌉``, and ``rows = keys`` or, where one key has
several rows, ``keys × FAN_OUT``. The keys of the first wave are the subjects that the request names; behind a
relation or a key in a record they are the rows of the fetch that leads there, MAX_KEYS at the most. The
cost of an operation is the sum over its fetches, one for each (wave, offering).
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.catalogue.model import RecordCode
from schema.execution.estimate import FAN_OUT, MAX_KEYS, Supplies, cost_of_fetch
from schema.execution.prepare import Ready


def cost_of(ready: Ready, supplies: Supplies) -> int:
    """The cost of one request's operation; what reads no facts costs nothing."""
    question = ready.asked.question
    if not question.fields:
        return 0
    if ready.compiled is None:
        return _unplanned(question.fields, len(question.roots), supplies)
    return ready.compiled.costs.of(ready.named, supplies)


def _unplanned(records: Mapping[RecordCode, object], roots: int, supplies: Supplies) -> int:
    """What has no plan reads each record once by each of its keys, for FAN_OUT keys a subject named."""
    keys = min(roots * FAN_OUT, MAX_KEYS)
    return sum(cost_of_fetch(keys, supply) for (record, _), supply in supplies.items() if record in records)
