"""A problem over HTTP is numbered, bilingual and complete, in the reader's language."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.http.problems import Problems, language_of
from hub.kernel.errors import Code, Next, Problem
from hub.texts import Language, load_texts

PROBLEMS = Problems({language: load_texts(language) for language in Language})


def told(problem: Problem, accept_language: str | None = None) -> Any:
    return json.loads(bytes(PROBLEMS.answer(problem, accept_language=accept_language).body))


def test_a_problem_document_has_the_members_of_rfc_9457_and_both_languages() -> None:
    problem = Problem(Code.OVER_ASKED, {"fields": "person.address"})
    response = PROBLEMS.answer(problem, accept_language="en")
    body = json.loads(bytes(response.body))
    assert (response.status_code, response.headers["content-type"]) == (403, "application/problem+json")
    assert response.headers["cache-control"] == "no-store"
    assert (body["type"], body["status"], body["code"]) == ("/errors#HUB-144", 403, "HUB-144")
    assert body["next"] == Next.ASK_DIFFERENTLY.value
    assert body["about"] == {"fields": "person.address"}
    assert (body["title"], body["detail"]) == (body["en"]["title"], body["en"]["explanation"])
    assert all("person.address" in body[language]["explanation"] for language in ("zh", "en"))


def test_the_title_is_chinese_unless_english_is_liked_better() -> None:
    problem = Problem(Code.ROUTE_UNKNOWN)
    assert told(problem)["title"] == told(problem)["zh"]["title"]
    assert told(problem, "en-GB")["title"] == told(problem)["en"]["title"]


@pytest.mark.parametrize("code", Code)
def test_every_code_can_be_told(code: Code) -> None:
    response = PROBLEMS.answer(Problem(code))
    body = json.loads(bytes(response.body))
    assert response.status_code == body["status"] == code.status
    assert all(body[language][name] for language in ("zh", "en") for name in ("title", "explanation", "next"))
    assert ("retry-after" in response.headers) is (code.next is Next.TRY_LATER)


@pytest.mark.parametrize(
    ("code", "challenge"),
    [
        (Code.TOKEN_MISSING, 'Bearer realm="hub"'),
        (Code.TOKEN_INVALID, 'Bearer realm="hub", error="invalid_token"'),
        (Code.TOKEN_EXPIRED, 'Bearer realm="hub", error="invalid_token", error_description="expired"'),
    ],
)
def test_a_token_problem_challenges_as_rfc_6750_says(code: Code, challenge: str) -> None:
    assert PROBLEMS.answer(Problem(code)).headers["www-authenticate"] == challenge


def test_further_headers_are_added() -> None:
    response = PROBLEMS.answer(Problem(Code.METHOD_NOT_ALLOWED), headers={"Allow": "POST"})
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh"), ("", "zh"), ("*", "zh"), ("fr", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9", "en"), ("zh;q=0.5, en;q=0.6", "en"), ("en, zh", "zh"), ("EN", "en"),
        ("en;q=0", "zh"), ("en;q=x", "zh"), ("en;q=", "zh"), ("en;q=..", "zh"), ("en;level=1", "zh"),
        (";;,,", "zh"),
    ],
)  # fmt: skip
def test_the_language_liked_better_is_found(header: str | None, language: str) -> None:
    assert language_of(header) is Language(language)
