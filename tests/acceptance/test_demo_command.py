"""``hub demo`` from an empty folder to an answer and to its end: nothing outlives it, and it starts again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

START_SECONDS = 60.0
QUESTION = """
query ($idNumber: ResidentIdNumber!, $types: [String!]!) {
  person(idNumber: $idNumber) { name businesses { name } certificates(types: $types) { number } }
}
"""


class Demo:
    """A running ``hub demo`` in a folder of its own."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.port = port
        self.environment = {**os.environ, "HUB_DATA": str(data), "HUB_PORT": str(port)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> float:
        """Starts it; seconds until it was ready."""
        began = time.monotonic()
        with (self.data / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub", "demo", *arguments],
                env=self.environment, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        while not self._is_ready():
            assert self.process.poll() is None, self.output()
            assert time.monotonic() - began < START_SECONDS, self.output()
            time.sleep(0.1)
        return time.monotonic() - began

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", "demo", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def output(self) -> str:
        return (self.data / "output").read_text("utf-8")

    def sheet(self) -> dict[str, Any]:
        return dict(json.loads((self.data / "demo.json").read_text("utf-8")))

    def descendants(self) -> list[int]:
        """Every process that works in the folder, or was started by one that does."""
        assert self.process is not None
        return [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and self._is_ours(entry)
        ]

    def _is_ours(self, entry: Path) -> bool:
        try:
            command = (entry / "cmdline").read_bytes()
            state = (entry / "stat").read_text("ascii", errors="replace").rsplit(")", 1)[1].split()[0]
        except (OSError, IndexError):
            return False
        return os.fsencode(self.data) in command and state != "Z"

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), free_port())
    yield demo
    if demo.process is not None and demo.process.poll() is None:
        demo.process.kill()
        demo.process.wait(30)


@pytest.fixture(scope="module")
def running(demo: Demo) -> Demo:
    demo.start("--people", "500", "--seed", "3")
    return demo


def free_port() -> int:
    """A port that nobody uses, with three free ones above it for the agencies."""
    for port in range(31_000 + os.getpid() % 5000, 60_000, 20):
        if all(_is_free(one) for one in (port, *range(port + 11, port + 14))):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port)) != 0


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


def answered(sheet: dict[str, Any], query: str, variables: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The answer to a question, asked with nothing but what the sheet tells."""
    client = {"client_id": sheet["client"]["id"], "client_secret": sheet["client"]["secret"]}
    form = urlencode({"grant_type": "client_credentials", **client}).encode()
    _, token = post(sheet["addresses"]["token"], form, {"Content-Type": "application/x-www-form-urlencoded"})
    headers = {
        "Authorization": f"Bearer {token['access_token']}",
        "Content-Type": "application/json",
        **sheet["headers"],
    }
    body = json.dumps({"query": query, "variables": variables}).encode()
    return post(sheet["addresses"]["graphql"], body, headers)


def first_question(sheet: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    types = [one["code"] for one in sheet["certificateTypes"] if "111" in one["holders"]]
    return answered(sheet, QUESTION, {"idNumber": sheet["people"][0]["idNumber"], "types": types})


def test_it_says_what_to_open_and_writes_the_sheet_for_its_owner_alone(running: Demo) -> None:
    assert f"http://127.0.0.1:{running.port}/graphiql" in running.output()
    assert (running.data / "demo.json").stat().st_mode & 0o777 == 0o600
    assert running.sheet()["city"] | {"people": 500, "seed": 3} == running.sheet()["city"]


def test_the_sheet_is_enough_for_a_sealed_answer_from_three_agencies(running: Demo) -> None:
    status, answer = first_question(running.sheet())
    assert (status, "errors" in answer) == (200, False)
    person = answer["data"]["person"]
    assert person["name"] == running.sheet()["people"][0]["name"]
    assert len(person["businesses"]) >= 2
    assert len(person["certificates"]) >= 5
    assert answer["extensions"]["receipt"].count(".") == 2


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_ready_queries_are_answered_without_an_error(running: Demo, place: int) -> None:
    ready = running.sheet()["queries"][place]
    status, answer = answered(running.sheet(), ready["query"], ready["variables"])
    assert (status, answer.get("errors")) == (200, None)


def test_every_person_and_business_worth_asking_is_what_the_sheet_says(running: Demo) -> None:
    sheet = running.sheet()
    numbers = [one["idNumber"] for one in sheet["people"][:-1]]
    codes = [one["uscc"] for one in sheet["businesses"][:-1]]
    query = """query ($n: [ResidentIdNumber!]!, $c: [UnifiedSocialCreditCode!]!) {
      people(idNumbers: $n) { name } businesses(usccs: $c) { name } }"""
    _, answer = answered(sheet, query, {"n": numbers, "c": codes})
    assert [one and one["name"] for one in answer["data"]["people"]] == [
        one["name"] or None for one in sheet["people"][:-1]
    ]
    assert [one and one["name"] for one in answer["data"]["businesses"]] == [
        one["name"] or None for one in sheet["businesses"][:-1]
    ]
    wrong = sheet["people"][-1]["idNumber"]
    _, refused = answered(
        sheet, "query ($n: ResidentIdNumber!) { person(idNumber: $n) { name } }", {"n": wrong}
    )
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["HUB-117"]
    assert "data" not in refused
    assert wrong not in json.dumps(refused)


def test_what_is_not_granted_is_refused(running: Demo) -> None:
    sheet = running.sheet()
    kind = next(one["code"] for one in sheet["certificateTypesNotGranted"] if "111" in one["holders"])
    status, refused = answered(sheet, QUESTION, {"idNumber": sheet["people"][0]["idNumber"], "types": [kind]})
    assert (status, refused["errors"][0]["extensions"]["code"]) == (403, "HUB-144")


def test_a_stopped_agency_takes_only_its_own_facts_with_it(running: Demo) -> None:
    assert "stopped" in running.run("agency", "stop", "police").stdout
    status, answer = first_question(running.sheet())
    assert status == 200
    person = answer["data"]["person"]
    assert (person["name"], len(person["businesses"]) >= 2) == (None, True)
    assert {tuple(error["path"]) for error in answer["errors"]} == {("person", "name")}
    assert "ok" not in running.run("agency", "status").stdout.splitlines()[0]
    running.run("agency", "start", "police")
    until = time.monotonic() + 20
    while first_question(running.sheet())[1]["data"]["person"]["name"] is None:
        assert time.monotonic() < until
        time.sleep(0.5)


def test_an_unknown_agency_is_told_in_both_languages(running: Demo) -> None:
    told = running.run("agency", "stop", "weather")
    assert told.returncode == 1
    assert told.stderr.count("HUB-450") == 2


def test_a_city_that_is_too_small_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    told = Demo(tmp_path / "none", 1).run("--people", "3")
    assert told.returncode == 2
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_nothing_outlives_kill_9_and_it_starts_again_quickly_as_it_was(running: Demo) -> None:
    before = running.sheet()
    assert len(running.descendants()) >= 5  # three agencies and two databases
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    until = time.monotonic() + 10
    while running.descendants():
        assert time.monotonic() < until
        time.sleep(0.05)
    assert running.start() < 15  # 3.5 s on an idle machine with two cores
    assert running.sheet() == before
    assert first_question(running.sheet())[0] == 200
    assert running.end(signal.SIGINT) == 0
    assert running.descendants() == []
