"""The benchmark compares like with like, counts what it should, and writes down what it found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from connectors.coalescing import Coalesced
from connectors.contract import Answer, Ask, Connector, Fault, Offering
from connectors.wrapper import Wrapper
from hub.facts.service import Inquiry
from tests.bench.calls import expected
from tests.bench.city import draw
from tests.bench.equality import difference
from tests.bench.executor import Unchecked
from tests.bench.finding import Bound
from tests.bench.http_sources import Agencies
from tests.bench.load import Load, mistakes
from tests.bench.measuring import Reading, Round, quantile
from tests.bench.peers import MissingError, install
from tests.bench.subgraphs import Subgraphs
from tests.bench.wired import unshared


def test_a_city_has_the_shape_of_the_approval_join() -> None:
    lines = draw(200).lines
    assert len(lines["certificate"]) == 3 * 200
    assert len({(line[3], line[0]) for line in lines["certificate"]}) == 3 * 200
    assert len(lines["business"]) == len(lines["licence"]) == len(lines["business_role"]) == 300


@pytest.mark.parametrize(
    ("left", "right", "path"),
    [
        ({"people": [{"name": "a"}]}, {"people": [{"name": "a"}]}, None),
        ({"people": [{"name": "a"}]}, {"people": [{"name": "b"}]}, "data.people.0.name"),
        ({"people": [{"name": "a"}]}, {"people": [{"name": "a"}, None]}, "data.people"),
        ({"people": [None]}, {"people": []}, "data.people"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "data"),
        ({"a": {"b": 1}}, {"a": 1}, "data.a"),
    ],
)
def test_the_first_difference_is_named_by_its_path(left: object, right: object, path: str | None) -> None:
    assert difference(left, right) == path


def test_ratios_are_taken_within_each_round() -> None:
    def reading(*servers: float) -> Reading:
        return Reading(tuple(Round(server, Load([0.001, 0.003], wall=server)) for server in servers))

    slow, quick = reading(2.0, 40.0, 6.0), reading(1.0, 10.0, 2.0)
    assert slow.times(quick) == 3.0
    assert quick.rate_times(slow) == 3.0
    assert quick.micros == [0.5e6, 5e6, 1e6]
    assert quick.requests_per_second == 1.0
    assert slow.latency(0.5) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("bound", "value", "is_met", "is_aim_met"),
    [
        (Bound(2.8, 2.5), 2.8, True, False),
        (Bound(2.8, 2.5), 2.5, True, True),
        (Bound(2.8, 2.5), 2.81, False, False),
        (Bound(3, is_most=False), 2.9, False, False),
        (Bound(3, is_most=False), 3, True, False),
        (Bound(3, 4, is_most=False), 4.5, True, True),
    ],
)
def test_a_figure_is_held_against_its_bound(
    bound: Bound, value: float, is_met: bool, is_aim_met: bool
) -> None:
    assert (bound.is_met(value), bound.is_aim_met(value)) == (is_met, is_aim_met)


def test_a_quantile_is_one_of_the_values() -> None:
    hundred = [float(number) for number in range(100, 0, -1)]
    assert (quantile(hundred, 0.0), quantile(hundred, 0.5), quantile(hundred, 0.99)) == (1.0, 51.0, 100.0)


def test_expected_calls_are_whole_batches_of_each_wave() -> None:
    city = draw(100)  # the first person has one business, the second has two; none of three is hers or his
    assert expected(city, city.people[:1], 64).total() == 10
    one_key_a_call = expected(city, city.people[:2], 1)
    assert one_key_a_call == {
        "person": 2 + 3,
        "business_role": 2,
        "driving_licence": 2,
        "nurse_practice": 2,
        "pharmacist_registration": 2,
        "physician_practice": 2,
        "teacher_qualification": 2,
        "business": 3,
        "licence": 3,
    }
    assert expected(city, city.people, 64)["person"] == 2  # who represents was asked about in the first wave


async def test_the_agencies_count_their_calls_and_forget_when_told() -> None:
    city = draw(10)
    agencies = Agencies(city)
    answer = await agencies.answer("/1/person", msgspec.json.encode({"keys": [city.people[3], "nobody"]}))
    (row,) = json.loads(answer)["rows"]
    assert row["id_number"] == city.people[3]
    assert await agencies.answer("/1/nothing", b"{}") == b""
    assert json.loads(await agencies.answer("/counts", b"")) == {"/1/person": 1}
    assert json.loads(await agencies.answer("/counts", b"")) == {}


def test_a_subgraph_answers_entities_with_what_was_selected() -> None:
    city = draw(10)
    query = """
    query ($who: [_Any!]!, $types: [String!]!) {
      _entities(representations: $who) {
        __typename
        ... on Person { held: certificates(types: $types) { type { code } } }
        ... on Business { certificates(types: ["drug_business_licence"]) { __typename } }
      }
    }
    """
    who = [
        {"__typename": "Person", "idNumber": city.people[0]},
        {"__typename": "Business", "uscc": city.lines["business"][0][0]},
        {"__typename": "Person", "idNumber": "nobody"},
    ]
    body = msgspec.json.encode(
        {"query": query, "variables": {"who": who, "types": ["nurse_practice", "teacher_qualification"]}}
    )
    person, business, nobody = json.loads(Subgraphs(city).answer("licences", body))["data"]["_entities"]
    assert person == {"__typename": "Person", "held": [{"type": {"code": "nurse_practice"}}]}
    assert business == {"__typename": "Business", "certificates": [{"__typename": "Certificate"}]}
    assert nobody is None


def test_the_executor_alone_leaves_out_what_the_product_does_by_these_names() -> None:
    replaced = {name for name in vars(Unchecked) if not name.startswith("__")}
    assert replaced == {"_require_permitted", "_log_subjects"}
    assert replaced <= set(vars(Inquiry))


class Silent:
    """A connector that offers nothing."""

    def describe(self) -> tuple[Offering, ...]:
        return ()

    async def health(self, deadline: float) -> Fault | None:
        return None

    async def fetch(self, ask: Ask) -> Answer:
        return Answer({})

    async def close(self) -> None:
        return None


def test_apart_means_without_the_wrapper_that_shares_calls() -> None:
    inner = Silent()
    wrapped = unshared(Wrapper(Coalesced(Wrapper(inner), ())))
    chain: list[Connector] = [wrapped]
    while isinstance(chain[-1], Wrapper):
        chain.append(chain[-1]._inner)
    assert [type(one) for one in chain] == [Wrapper, Wrapper, Silent]
    with pytest.raises(LookupError):
        unshared(Wrapper(inner))


def test_where_there_is_no_npm_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingError, match="npm is not on this machine"):
        install(tmp_path)


def test_an_unexpected_answer_is_told_by_its_numbers_alone() -> None:
    answer = (
        '{"errors":[{"message":"王秀英","extensions":{"code":"HUB-301"}},{"extensions":{"code":"HUB-105"}}]}'
    )
    assert mistakes(answer.encode()) == "the answer holds errors: HUB-105, HUB-301"
