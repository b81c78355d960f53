"""What the README promises, kept: its commands, its first question in a browser and by another client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from playwright.sync_api import expect, sync_playwright

from tests.acceptance.conftest import DemoHub
from tests.acceptance.snippets import ROOT, run_in_shell, snippets
from tests.web.conftest import ARGUMENTS, NAMES
from tests.web.golden import compare, require_font

READMES = ("README.md", "README.zh.md")
pytestmark = pytest.mark.slow


def token(hub: DemoHub) -> str:
    client = hub.sheet["client"]
    form = {"grant_type": "client_credentials", "client_id": client["id"], "client_secret": client["secret"]}
    with urllib.request.urlopen(
        hub.sheet["addresses"]["token"], urllib.parse.urlencode(form).encode()
    ) as answer:
        return str(json.load(answer)["access_token"])


def first_variables(document: str) -> dict[str, Any]:
    found = re.search(r'`(\{"idNumber".*?\})`', (ROOT / document).read_text(encoding="utf-8"))
    assert found
    return dict(json.loads(found[1]))


@pytest.mark.parametrize("document", READMES)
@pytest.mark.parametrize("target", ["run", "test"])
def test_the_two_commands_are_there(document: str, target: str) -> None:
    assert f"make {target}\n" in snippets(document, "bash")[0]
    planned = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {"run": "hub demo", "test": "pytest"}[target] in planned


@pytest.mark.parametrize("document", READMES)
async def test_the_first_question_is_answered_as_shown(demo_hub: DemoHub, document: str) -> None:
    headers = {**demo_hub.sheet["headers"], "Authorization": f"Bearer {token(demo_hub)}"}
    transport = AIOHTTPTransport(url=demo_hub.sheet["addresses"]["graphql"], headers=headers)
    (query,), (answer,) = snippets(document, "graphql"), snippets(document, "json")
    question = gql(query)
    question.variable_values = first_variables(document)
    async with Client(transport=transport) as client:
        assert await client.execute(question) == json.loads(answer)


@pytest.mark.parametrize("document", READMES)
def test_the_first_question_is_the_one_that_stands_on_the_page(demo_hub: DemoHub, document: str) -> None:
    ready = demo_hub.sheet["queries"][0]
    assert snippets(document, "graphql") == [ready["query"]]
    assert first_variables(document) == ready["variables"]


@pytest.mark.parametrize("document", READMES)
def test_the_commands_that_stop_and_start_an_agency_work(
    demo_hub: DemoHub, document: str, tmp_path: Path
) -> None:
    run_in_shell(snippets(document, "bash")[1], tmp_path, demo_hub)


@pytest.mark.parametrize("document", READMES)
def test_links_lead_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.browser
def test_the_picture_is_what_a_newcomer_sees(demo_hub: DemoHub) -> None:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt install chromium")
    require_font()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 960})
        page.goto(f"{demo_hub.address}/graphiql")
        expect(page.locator(".graphiql-query-editor .cm-atom")).to_have_text("ResidentIdNumber")
        page.click(".graphiql-execute-button")
        page.wait_for_selector(".sealed")
        expect(page.locator(".graphiql-response")).to_contain_text("孙静怡")
        page.mouse.move(1, 1)
        page.evaluate("document.activeElement.blur()")
        compare(page, ROOT / "docs" / "first-answer.png", browser.new_page())
        browser.close()
