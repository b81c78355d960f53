"""Whatever a connector answers, it gets past Validate only when all of it is right."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Answer, Offering
from connectors.wrappers import Validate
from tests.connectors.test_wrappers import PERSON, ROLES, Scripted, ask

ROWS = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["x", "", None, 5])) | st.just(("A",)), max_size=3
)


@given(st.dictionaries(st.sampled_from("ABC"), ROWS.map(tuple)), st.sampled_from([PERSON, ROLES]))
def test_validate_lets_through_what_is_right_and_nothing_else(
    rows: dict[str, tuple[tuple[object, ...], ...]], offering: Offering
) -> None:
    answer = Answer(rows)
    validate = Validate(Scripted(lambda _ask, _number: answer))
    validated = asyncio.run(validate.fetch(ask("A", "B", offering=offering.name)))
    right = rows.keys() == {"A", "B"} and all(
        len(row) == 2
        and row[0] == key
        and isinstance(row[1], str | None)
        and (offering.many or len(own) == 1)
        for key, own in rows.items()
        for row in own
    )
    assert (validated == answer) is right
    assert bool(validated.faults) is not right
