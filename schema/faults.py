"""Turns every no into the contract's error: numbered, in the reader's language, with the next way."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from hub.catalogue.model import Agency
from hub.kernel.errors import Code, HubError, Problem
from hub.texts import Language, Texts

Error = dict[str, Any]

CODE = re.compile(r"[a-z0-9_]{1,63}")  # of the catalogue
NAME = re.compile(r"[A-Za-z0-9_]{1,63}")  # of GraphQL
SHORTEST_NUMBER = 15  # digits of a resident ID number of the first generation


class Unanswered(Exception):  # noqa: N818  an outcome, not a mistake of the program
    """A fact that has no answer: its problem, which of the five outcomes it is, and whose is missing."""

    def __init__(
        self,
        problem: Problem,
        outcome: str,
        *,
        agency: str | None = None,
        agency_code: str | None = None,
        correlation: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(problem.code.label)
        self.problem = problem
        self.outcome = outcome
        self.told = {
            "agency": agency,
            "agencyCode": agency_code,
            "correlation": correlation,
            "retryAfter": None if retry_after is None else str(round(retry_after)),
        }


class Words:
    """Words errors in one language; ``next`` always carries both."""

    def __init__(self, texts: Mapping[Language, Texts], language: Language) -> None:
        self.texts = texts
        self.language = language

    def of(self, problem: Problem) -> Error:
        """One error without place: message and extensions."""
        said = self.texts[self.language].say(problem)
        return {
            "message": f"{said.title}: {said.explanation}"
            if self.language is Language.EN
            else f"{said.title}：{said.explanation}",
            "extensions": {
                "code": problem.code.label,
                "next": {"do": problem.code.next.value}
                | {tongue.value: texts.say(problem).next for tongue, texts in self.texts.items()},
            },
        }

    def all_of(self, problems: Sequence[Problem]) -> list[Error]:
        return [self.of(problem) for problem in problems]

    def present(self, error: GraphQLError) -> Error:
        """A GraphQL error in the contract's form; what a library worded itself is replaced."""
        cause = root_cause(error)
        worded = self.of(problem_of(error))
        if error.locations:
            worded["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
        if error.path is not None:
            worded["path"] = error.path
        if isinstance(cause, Unanswered):
            told = {name: value for name, value in cause.told.items() if value is not None}
            worded["extensions"] |= {"outcome": cause.outcome, **told}
        return worded


def repeatable(text: str, form: re.Pattern[str]) -> str:
    """A code or name of the request as an error may repeat it; empty where it might hold a value."""
    digits = sum(character.isdigit() for character in text)
    return text if form.fullmatch(text) and digits < SHORTEST_NUMBER else ""


def of_agency(agency: Agency) -> dict[str, str]:
    """The details of a problem that name an agency in both languages."""
    return {"agency_zh": agency.name.zh, "agency_en": agency.name.en}


def malformed(agency: Agency) -> Unanswered:
    """An agency's answer with a value that its record cannot have."""
    problem = Problem(Code.SOURCE_MALFORMED, of_agency(agency))
    return Unanswered(problem, "unavailable", agency=agency.code)


def root_cause(error: BaseException) -> BaseException:
    """The exception of ours at the bottom of a chain of GraphQL errors, else the last of the chain."""
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
    return error


def problem_of(error: GraphQLError, otherwise: Code = Code.INTERNAL) -> Problem:
    """The numbered problem behind a GraphQL error."""
    match root_cause(error):
        case Unanswered(problem=problem) | HubError(problem=problem):
            return problem
        case _:
            return Problem(otherwise)
