"""Turns every no into the contract's error: numbered, in the reader's language, with the next way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from hub.kernel.errors import Code, HubError, Problem
from hub.texts import Language, Texts

Error = dict[str, Any]


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
