"""Turns a Problem into an HTTP answer that people and programs can read (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from hub.kernel.errors import Code, Next, Problem
from hub.texts import Language, Texts

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "5"
ERROR_HEADER = "Hub-Error"  # for the logs and counters of whatever passes the answer on
BEARER_ERRORS: Mapping[Code, str] = {  # RFC 6750 §3.1: a request without a token is told no error
    Code.TOKEN_MISSING: 'Bearer realm="hub"',
    Code.TOKEN_INVALID: 'Bearer realm="hub", error="invalid_token"',
    Code.TOKEN_EXPIRED: 'Bearer realm="hub", error="invalid_token", error_description="expired"',
}


class Problems:
    """Words problems in both languages; the reader's own stands in ``title`` and ``detail``."""

    def __init__(self, texts: Mapping[Language, Texts]) -> None:
        self._texts = texts

    def answer(
        self,
        problem: Problem,
        *,
        accept_language: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The whole response: status, problem document, and the headers its code calls for."""
        body = self.document(problem, language_of(accept_language))
        return Response(
            msgspec.json.encode(body),
            problem.code.status,
            {**problem_headers(problem.code), **(headers or {})},
            MEDIA_TYPE,
        )

    def document(self, problem: Problem, language: Language) -> dict[str, Any]:
        """Members of RFC 9457, ``about`` (what the details name) and those of ``bilingual``."""
        said = self._texts[language].say(problem)
        return {
            "type": f"/errors#{problem.code.label}",
            "title": said.title,
            "status": problem.code.status,
            "detail": said.explanation,
            "about": dict(problem.detail),
            **self.bilingual(problem),
        }

    def bilingual(self, problem: Problem) -> dict[str, Any]:
        """``code``, ``next`` (a value of Next); under ``zh`` and ``en`` title, explanation, next step."""
        return {
            "code": problem.code.label,
            "next": problem.code.next.value,
            **{language.value: _sentences(texts, problem) for language, texts in self._texts.items()},
        }


def problem_headers(code: Code) -> dict[str, str]:
    """Cache-Control and the number always; WWW-Authenticate and Retry-After where the code calls for them."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language", ERROR_HEADER: code.label}
    if code in BEARER_ERRORS:
        headers["WWW-Authenticate"] = BEARER_ERRORS[code]
    if code.next is Next.TRY_LATER:
        headers["Retry-After"] = RETRY_SECONDS
    return headers


def language_of(accept_language: str | None) -> Language:
    """The better liked of the two languages by Accept-Language (RFC 9110 §12.5.4), Chinese if none."""
    if not accept_language:
        return Language.ZH
    liked = {Language.ZH.value: 0.0, Language.EN.value: 0.0}
    for part in accept_language.lower().split(","):
        tag, _, weight = part.partition(";")
        language = tag.strip().split("-")[0]
        if language in liked:
            liked[language] = max(liked[language], _quality(weight))
    return Language.EN if liked[Language.EN.value] > liked[Language.ZH.value] else Language.ZH


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if not name:
        return 1.0
    digits = value.strip()
    return float(digits) if name.strip() == "q" and digits.replace(".", "", 1).isdecimal() else 0.0


def _sentences(texts: Texts, problem: Problem) -> dict[str, str]:
    said = texts.say(problem)
    return {"title": said.title, "explanation": said.explanation, "next": said.next}
