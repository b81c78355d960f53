"""Lists are bounded, and longer ones are paged."""

from __future__ import annotations

import pytest

from tests.graphql.conftest import Counter
from tests.graphql.town import ACME, ANNA

PAGE = (
    """
query($first: Int!, $after: String) {
  business(uscc: "%s") {
    relationsConnection(first: $first, after: $after) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { role person { name } } }
    }
  }
}
"""
    % ACME
)


def _crowd(counter: Counter, number: int) -> None:
    rows = [
        {"person_id": ANNA, "uscc": ACME, "role": "SHAREHOLDER", "since": f"{1700 + n}-01-01"}
        for n in range(number)
    ]
    counter.town.market.rows["business_role_by_uscc"] = {ACME: rows}


async def test_a_list_over_its_bound_says_how_to_page(counter: Counter) -> None:
    _crowd(counter, 201)
    reply = await counter.ask('{ business(uscc: "%s") { relations { since } } }' % ACME)
    assert reply.codes == ["HUB-126"]
    assert reply.body["data"] == {"business": {"relations": None}}


async def test_pages_follow_one_another_without_gap(counter: Counter) -> None:
    _crowd(counter, 201)
    query = PAGE.replace("role person { name }", "since")
    seen: list[str] = []
    after = None
    while True:
        reply = await counter.ask(query, {"first": 100, "after": after})
        page = reply.body["data"]["business"]["relationsConnection"]
        seen += [edge["node"]["since"] for edge in page["edges"]]
        assert page["totalCount"] == 201
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(seen) == sorted(f"{1700 + n}-01-01" for n in range(201))


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"first": 0}, "HUB-123"),
        ({"first": 201}, "HUB-123"),
        ({"first": -1}, "HUB-123"),
        ({"first": 1, "after": "x"}, "HUB-122"),
        ({"first": 1, "after": "é"}, "HUB-122"),
        ({"first": 1, "after": "LTE"}, "HUB-122"),
    ],
)
async def test_pages_that_do_not_exist(counter: Counter, variables: dict[str, object], code: str) -> None:
    reply = await counter.ask(PAGE, variables)
    assert reply.codes == [code]
    assert counter.town.market.asks == []


async def test_certificates_page(counter: Counter) -> None:
    query = (
        '{ business(uscc: "%s") { certificatesConnection(types: ["drug_business_licence"], '
        "first: 1) { totalCount edges { node { number } } } } }"
    )
    reply = await counter.ask(query % ACME)
    page = reply.body["data"]["business"]["certificatesConnection"]
    assert (page["totalCount"], len(page["edges"])) == (2, 1)
