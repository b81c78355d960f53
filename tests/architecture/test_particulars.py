"""Where a no is said, it names every particular that its texts speak of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from hub.kernel.errors import Code
from hub.texts import Language, load_texts, placeholders
from tests.architecture.test_contracts import name_of, sources

TEXTS = load_texts(Language.ZH)
SAID_BY = {"Problem", "HubError"}
LANGUAGES = tuple(f"_{language}" for language in Language)
EXPLAINED = {
    ("hub.facts.rules", "SOURCE_"): "a table; schema.loaders names the agency, tested in tests/graphql",
    ("hub.facts.rules", "NO_OFFERING"): "a table; schema.loaders names the record, tested in tests/graphql",
    ("schema.execution.operation", "VARIABLE_INVALID"): "what a library's error counts as before it is named",
    ("schema.execution.operation", "ARGUMENT_INVALID"): "what a library's error counts as before it is named",
}
"""Mentions of a code that say nothing themselves: module, beginning of the code's name, and why."""


@dataclass(frozen=True)
class Mention:
    """A code in a module's text, with the details that stand beside it."""

    module: str
    line: int
    code: Code
    given: frozenset[str]

    def lacks(self) -> set[str]:
        return needed(self.code) - {bare(name) for name in self.given}

    def is_explained(self) -> bool:
        return any(self.module == module and self.code.name.startswith(start) for module, start in EXPLAINED)


class Module:
    """A module's text, and what its names stand for as far as that can be seen."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.tree = ast.parse(text)
        self.assigned: dict[str, list[ast.expr]] = {}
        self.returned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.assigned.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.FunctionDef):
                values = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]
                self.returned[node.name] = values

    def details(self, node: ast.expr) -> frozenset[str]:
        """The keys that a mapping surely has."""
        match node:
            case ast.Dict(keys=keys, values=values):
                named = {key.value for key in keys if isinstance(key, ast.Constant)}
                spread = [value for key, value in zip(keys, values, strict=True) if key is None]
                return frozenset(map(str, named)).union(*map(self.details, spread))
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.details(left) | self.details(right)
            case ast.IfExp(body=body, orelse=otherwise):
                return self.details(body) & self.details(otherwise)
            case ast.Name(id=name):
                return self.of_all(self.assigned.get(name, []))
            case ast.Call(func=ast.Name(id="of_agency")):
                return frozenset({"agency_zh", "agency_en"})
            case ast.Call(func=ast.Name(id="MappingProxyType"), args=[inner]):
                return self.details(inner)
            case ast.Call(func=ast.Name(id=name)):
                return self.of_all(self.returned.get(name, []))
            case _:
                return frozenset()

    def of_all(self, values: list[ast.expr]) -> frozenset[str]:
        return frozenset.intersection(*map(self.details, values)) if values else frozenset()

    def codes(self, node: ast.expr) -> Iterator[ast.Attribute]:
        """The codes that an expression may be, through one name."""
        values = self.assigned.get(node.id, []) if isinstance(node, ast.Name) else [node]
        yield from (one for value in values for one in ast.walk(value) if code_of(one))

    def mentions(self) -> Iterator[Mention]:
        seen = {id(part) for node in ast.walk(self.tree) for part in only_compared(node)}
        for call in (node for node in ast.walk(self.tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) in SAID_BY and call.args:
                given = frozenset(word.arg for word in call.keywords if word.arg)
                given = given.union(*map(self.details, call.args[1:]))
                for said in self.codes(call.args[0]):
                    seen.add(id(said))
                    yield Mention(self.name, call.lineno, Code[said.attr], given)
        for node in ast.walk(self.tree):
            code = code_of(node)
            if code and id(node) not in seen:
                yield Mention(self.name, getattr(node, "lineno", 0), code, frozenset())


def code_of(node: ast.AST) -> Code | None:
    named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Code"
    return Code[node.attr] if named and isinstance(node, ast.Attribute) else None


def only_compared(node: ast.AST) -> Iterator[ast.AST]:
    """Codes that a node compares with, looks up, or asks for their number: nothing is said there."""
    kin: list[ast.expr | None] = []
    if isinstance(node, ast.Compare):
        kin = [node.left, *node.comparators]
    elif isinstance(node, ast.Dict):
        kin = list(node.keys)
    elif isinstance(node, ast.Attribute):
        kin = [node.value]
    return (part for one in kin if one for part in ast.walk(one))


@cache
def needed(code: Code) -> frozenset[str]:
    """The particulars in the texts of a code."""
    raw = TEXTS.raw(code)
    return placeholders(raw.explanation) | placeholders(raw.next)


def bare(name: str) -> str:
    """A detail's name without the language that it is in."""
    return next((name.removesuffix(end) for end in LANGUAGES if name.endswith(end)), name)


@cache
def all_mentions() -> tuple[Mention, ...]:
    modules = (Module(name_of(file), file.read_text(encoding="utf-8")) for file in sources())
    return tuple(mention for module in modules for mention in module.mentions())


def test_whoever_says_no_names_all_that_its_texts_speak_of() -> None:
    silent = [
        (mention.module, mention.line, mention.code.name, sorted(mention.lacks()))
        for mention in all_mentions()
        if mention.lacks() and not mention.is_explained()
    ]
    assert silent == []


def test_a_particular_in_one_language_is_given_in_both() -> None:
    for mention in all_mentions():
        inflected = {bare(name) for name in mention.given if bare(name) != name}
        assert {name + end for name in inflected for end in LANGUAGES} <= mention.given, mention


@pytest.mark.parametrize(("module", "start"), EXPLAINED)
def test_no_explanation_is_left_over(module: str, start: str) -> None:
    silent = [mention for mention in all_mentions() if mention.module == module and mention.lacks()]
    assert any(mention.code.name.startswith(start) for mention in silent)


def test_every_error_is_said_somewhere() -> None:
    assert set(Code) - {mention.code for mention in all_mentions()} == set()


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ('Problem(Code.OVER_ASKED, {"fields": named})', []),
        ('HubError(Code.OVER_ASKED, field="x")', ["fields"]),
        ("Problem(Code.OVER_ASKED)", ["fields"]),
        ('detail = {"fields": x} | ({"y": z} if z else {})\nProblem(Code.OVER_ASKED, detail)', []),
        ('detail = {"fields": x} if x else {}\nProblem(Code.OVER_ASKED, detail)', ["fields"]),
        ("code = Code.OVER_ASKED if x else Code.INTERNAL\nProblem(code, {})", ["fields"]),
        ("take(Code.OVER_ASKED)", ["fields"]),
        ("problem.code is Code.OVER_ASKED", []),
    ],
)
def test_the_reader_of_modules_sees(text: str, lacks: list[str]) -> None:
    assert sorted(name for mention in Module("x", text).mentions() for name in mention.lacks()) == lacks
