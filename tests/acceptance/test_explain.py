"""``hub explain`` tells what a query asks and costs; the manual's example is what it prints."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.__main__ import build
from hub.command.explain import explanation, of_demo
from hub.kernel.errors import Code, HubError
from tests.acceptance.conftest import DemoHub
from tests.acceptance.snippets import run_in_shell, snippets

DOCUMENTS = ("docs/plans.md", "docs/plans.zh.md")
TYPES = "drug_business_licence"


def hub_explain(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(build(["explain"]), ["explain", *arguments], env={"HUB_DATA": str(folder)})


def written(folder: Path, text: str, name: str = "query.graphql") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_manuals_example_is_what_the_command_prints(document: str, tmp_path: Path) -> None:
    (query,) = snippets(document, "graphql")
    (printed,) = snippets(document, "text")
    said = hub_explain(tmp_path, written(tmp_path, query), "--types", TYPES, "--demo")
    assert said.exit_code == 0, said.output
    assert said.stdout == printed


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_the_manual_names_is_there(document: str) -> None:
    root = Path(__file__).parents[2]
    text = (root / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w/]+/)?\w+\.py)`", text))
    assert {"planner.py", "schema/cost.py"} <= named
    missing = [
        one for one in named if not any((base / one).exists() for base in (root, root / "schema/execution"))
    ]
    assert missing == []


def test_waves_calls_keys_and_columns() -> None:
    query = (
        "query($ids: [ResidentIdNumber!]!, $me: ResidentIdNumber!) "
        "{ people(idNumbers: $ids) { sex } me: person(idNumber: $me) { name } }"
    )
    ids = ["11010519491231002X", "360426199101010071"]
    told = explanation(of_demo(), query, None, {"ids": ids, "me": ids[0]})
    assert told.count("fetch ") == 1, "two questions about one record are one fetch"
    assert "columns  sex, name" in told
    assert "keys     named by people\n    keys     named by me" in told
    assert "calls    1 for 2 keys, 100 a call" in told
    assert "  person.name\n  person.sex\n" in told
    assert not any(number in told for number in ids), "no value is told"


def test_a_name_given_makes_the_rest_wait() -> None:
    query = '{ person(idNumber: "11010519491231002X", name: "x") { businesses { name } } }'
    told = explanation(of_demo(), query, None, {})
    assert "keys     those that fetch 0 has found, when the name given is theirs" in told
    assert told.index("wave 1") < told.index("business_role by person_id")


def test_what_has_no_plan_says_so() -> None:
    query = '{ person(idNumber: "11010519491231002X") { relationsConnection { totalCount } } }'
    told = explanation(of_demo(), query, None, {})
    assert "no plan: the ordinary executor answers" in told
    assert "business_role.person_id" in told
    assert "def shape" not in told


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ person", {}, Code.DOCUMENT_SYNTAX),
        ("{ nothing }", {}, Code.DOCUMENT_INVALID),
        ("query A { __typename } query B { __typename }", {}, Code.OPERATION_UNKNOWN),
        ("query($yes: Boolean!) { __typename @skip(if: $yes) }", {}, Code.VARIABLE_INVALID),
        (
            "query($id: ResidentIdNumber!) { person(idNumber: $id) { name } }",
            {"id": "1"},
            Code.RESIDENT_ID_INVALID,
        ),
    ],
)
def test_a_mistake_is_told_by_its_number(query: str, variables: dict[str, object], code: Code) -> None:
    with pytest.raises(HubError) as caught:
        explanation(of_demo(), query, None, variables)
    assert caught.value.problem.code is code


def test_variables_come_from_a_file_and_one_of_several_operations_is_chosen(tmp_path: Path) -> None:
    query = written(tmp_path, "query A { __typename } query B($uscc: UnifiedSocialCreditCode!) "
                    "{ business(uscc: $uscc) { name } }")  # fmt: skip
    given = written(tmp_path, json.dumps({"uscc": "91110000600037341L"}), "variables.json")
    said = hub_explain(tmp_path, query, "--operation", "B", "--variables", given, "--demo")
    assert said.exit_code == 0, said.output
    assert "business by uscc, from market-registration (business)" in said.stdout
    wrong = hub_explain(tmp_path, query, "--operation", "B", "--variables", query, "--demo")
    assert wrong.exit_code == 2
    assert not said.stderr


def test_without_a_database_it_says_whose_catalogue_it_takes(tmp_path: Path) -> None:
    said = hub_explain(tmp_path, written(tmp_path, "{ __typename }"))
    assert said.exit_code == 0, said.output
    assert "no database: the demo city's catalogue" in said.stderr
    assert not (tmp_path / "postgres").exists(), "explaining starts nothing that was not there"


@pytest.mark.slow
def test_a_running_demos_own_catalogue(demo_hub: DemoHub, tmp_path: Path) -> None:
    (query,) = snippets(DOCUMENTS[0], "graphql")
    (printed,) = snippets(DOCUMENTS[0], "text")
    written(tmp_path, query)
    assert run_in_shell(f"hub explain query.graphql --types {TYPES}", tmp_path, demo_hub) == printed
