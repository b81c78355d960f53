"""Whether the contract answers a document that is to be trusted, and under which name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.documents.model import Submitted, TrustedDocument
from hub.documents.rules import mistake, registered
from hub.kernel.errors import Problem
from schema.build import Contract
from schema.execution.document import Document
from schema.faults import problem_of


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a document of a file cannot be registered: its id, or its place from 1, and the problem."""

    document: str
    problem: Problem


def checked(
    contract: Contract, submitted: Iterable[Submitted]
) -> tuple[Sequence[TrustedDocument], Sequence[Mistake]]:
    """The documents under their operations' names, and every mistake of all of them."""
    good: list[TrustedDocument] = []
    mistakes: list[Mistake] = []
    for place, one in enumerate(submitted, start=1):
        found = _checked(contract, one)
        if isinstance(found, TrustedDocument):
            good.append(found)
        else:
            mistakes += [Mistake(one.id or str(place), problem) for problem in found]
    names = Counter(document.name for document in good)
    for document in good:
        if names[document.name] > 1:
            mistakes.append(Mistake(document.id, mistake(str(document.name), "a name that stands once")))
    return good, mistakes


def _checked(contract: Contract, submitted: Submitted) -> TrustedDocument | Sequence[Problem]:
    document = contract.documents.read(submitted.text)
    if not isinstance(document, Document):
        return [problem_of(error) for error in document]
    names = [name for name in document.operations if name]
    if len(document.operations) != 1 or not names:
        return [mistake("file", "one operation a document, with a name")]
    found = registered(submitted, names[0])
    return [found] if isinstance(found, Problem) else found
