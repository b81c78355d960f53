"""Writes and compiles the straight-line Python that makes an answer of a plan's rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hub.facts.model import Sourced
from hub.facts.rules import was_valid
from schema.budget import MOST_VALUES, oversized
from schema.certificates import VALIDITY
from schema.execution import plan as p
from schema.forms import Amount, Enumerated, FactForm, Listed, Plain
from schema.paging import LIST_LIMIT
from schema.scalars import instant

Shaped = Callable[[Sequence[Any], Sequence[Any], Sequence[Any], Sequence[Any], Callable[[str], Any]], Any]


SourceParts = tuple[tuple[str, p.SourcePart], ...]


def shape_of(plan: p.Plan) -> tuple[Shaped, str, tuple[tuple[p.Fetch, SourceParts], ...]]:
    """The compiled function, its source, and the source objects that it reads.

    Its arguments: rows by fetch (key -> rows), source objects, keys by root, runtime values, and the
    names of regions. It raises KeyError for a key without an answer, and other errors for what the
    plan was not made for; the ordinary executor then goes on.
    """
    writer = _Writer(plan)
    source = writer.module()
    names: dict[str, Any] = {
        "Deoptimised": p.DeoptimisedError,
        "oversized": oversized,
        "was_valid": was_valid,
        "claim_value": claim_value,
        "claim_values": claim_values,
        **writer.constants,
    }
    exec(compile(source, "<plan>", "exec"), names)  # noqa: S102  nothing in it is the caller's but GraphQL names
    shaped: Shaped = names["shape"]
    return shaped, source, tuple(writer.sources)


def claim_value(held: object) -> str | None:
    """A claim's value as text; None for a list."""
    if isinstance(held, bool):
        return "true" if held else "false"
    return None if held is None or isinstance(held, tuple) else str(held)


def claim_values(held: object) -> list[str] | None:
    """A claim's values when it is a list."""
    return list(held) if isinstance(held, tuple) else None


def sources_of(sourced: Sourced, parts: tuple[tuple[str, p.SourcePart], ...]) -> dict[str, Any]:
    """The selected fields of where the rows of a fetch came from."""
    supply = sourced.supply
    if supply is None:
        raise p.DeoptimisedError
    told = {
        "connector": f"{supply.connector}@{supply.version}",
        "asOf": instant(sourced.as_of),
        "fetchedAt": instant(sourced.fetched_at),
        "expiresAt": instant(sourced.fetched_at + supply.offering.freshness),
        "__typename": "Source",
    }
    agency = {
        "code": supply.agency.code,
        "zh": supply.agency.name.zh,
        "en": supply.agency.name.en,
        "__typename": "Agency",
    }
    return {
        response: told[part] if isinstance(part, str) else {name: agency[one] for name, one in part}
        for response, part in parts
    }


class _Writer:
    """Writes one function. Names of variables are its own; what comes from outside goes in as constants."""

    def __init__(self, plan: p.Plan) -> None:
        self.plan = plan
        self.lines: list[str] = []
        self.depth = 0
        self.count = 0
        self.constants: dict[str, Any] = {}
        self.sources: list[tuple[p.Fetch, tuple[tuple[str, p.SourcePart], ...]]] = []

    def module(self) -> str:
        self._line("def shape(rows, sources, roots, values, region_name):")
        with self._deeper():
            self._line("spent = 0")
            for fetch in self.plan.fetches:
                self._line(f"rows{fetch.index} = rows[{fetch.index}]")
            answers = [(root.response, self._root(index, root)) for index, root in enumerate(self.plan.roots)]
            self._line("return {" + ", ".join(f"{name!r}: {value}" for name, value in answers) + "}")
        return "\n".join(self.lines) + "\n"

    # --- writing

    def _line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self.depth += 1
        yield
        self.depth -= 1

    def _new(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def _constant(self, value: Any) -> str:
        if value is None or isinstance(value, str | bool):
            return repr(value)
        name = self._new("constant")
        self.constants[name] = value
        return name

    # --- objects

    def _root(self, index: int, root: p.Root) -> str:
        if root.constant is not None:
            return self._constant(root.constant)
        answer, key, kind = self._new("root"), self._new("key"), self._new("kind")
        self._line(f"{answer} = []")
        self._line(f"for {kind}, {key} in roots[{index}]:")
        with self._deeper():
            self._line(f"{key} = {key}.value")
            for place, (name, target) in enumerate(root.targets):
                self._line(f"{'if' if place == 0 else 'elif'} {kind} == {name!r}:")
                with self._deeper():
                    self._line(f"{answer}.append({self._object(target, key)})")
        self._bound()
        return answer if root.many else f"{answer}[0]"

    def _object(self, shape: p.ObjectAt, key: str) -> str:
        if shape.base is None:
            self._line(f"spent += {len(shape.fields)}")
            return self._fields(shape.fields, key, "", None)
        made, row = self._new("object"), self._new("row")
        self._line(f"{row} = rows{shape.base.index}[{key}]")
        self._line(f"if not {row}:")
        self._line(f"    {made} = None")
        self._line("else:")
        with self._deeper():
            self._line(f"{row} = {row}[0]")
            self._line(f"spent += {len(shape.fields)}")
            self._line(f"{made} = {self._fields(shape.fields, key, row, shape.base)}")
        return made

    def _fields(self, fields: p.Fields, key: str, row: str, fetch: p.Fetch | None) -> str:
        written = [(response, self._value(value, key, row, fetch)) for response, value in fields]
        return "{" + ", ".join(f"{response!r}: {value}" for response, value in written) + "}"

    def _value(self, value: p.Value, key: str, row: str, fetch: p.Fetch | None) -> str:
        match value:
            case p.KeyValue():
                return key
            case p.Constant(constant):
                return self._constant(constant)
            case p.Across() | p.Rows() | p.Certificates():
                return self._list(value, key)
            case _:
                if fetch is None:
                    raise p.DeoptimisedError
                return self._of_row(value, key, row, fetch)

    def _of_row(self, value: p.Value, key: str, row: str, fetch: p.Fetch) -> str:
        match value:
            case p.FactValue():
                return self._fact(value, f"{row}[{fetch.at(value.column)}]")
            case p.Nested(fields):
                return self._fields(fields, key, row, fetch)
            case p.Claims(items):
                return "[" + ", ".join(self._claim(item, row, fetch) for item in items) + "]"
            case p.SourceValue(parts):
                self.sources.append((fetch, parts))
                return f"sources[{len(self.sources) - 1}]"
            case p.One(column, target):
                return self._one(target, f"{row}[{fetch.at(column)}]")
            case _:
                raise p.DeoptimisedError

    def _one(self, target: p.ObjectAt, cell: str) -> str:
        key, made = self._new("key"), self._new("one")
        self._line(f"{key} = {cell}")
        self._line(f"if {key} is None:")
        self._line(f"    {made} = None")
        self._line("else:")
        with self._deeper():
            self._line(f"{made} = {self._object(target, key)}")
        return made

    # --- facts

    def _fact(self, value: p.FactValue, cell: str) -> str:
        if value.firm:
            firm = self._new("firm")
            self._line(f"{firm} = {cell}")
            self._line(f"if {firm} is None:")
            self._line("    raise Deoptimised")
            return firm
        match value.form:
            case Plain():
                return cell
            case Enumerated(kind):
                table = {None: None} | {member.value: member.name for member in kind}
                return f"{self._constant(table)}[{cell}]"
            case _:
                return self._formed(value.form, value.parts, cell)

    def _formed(self, form: FactForm, parts: tuple[tuple[str, p.Part], ...], cell: str) -> str:
        held = self._new("held")
        self._line(f"{held} = {cell}")
        self._line(f"if {held} is not None:")
        with self._deeper():
            match form:
                case Listed():
                    self._line(f"{held} = list({held})")
                case Amount():
                    self._line(f"amount, currency = {held}.split(' ')")
                    self._line(f"{held} = {self._parts(parts, held)}")
                case _:
                    self._line(f"{held} = {self._parts(parts, held)}")
        return held

    def _parts(self, parts: tuple[tuple[str, p.Part], ...], held: str) -> str:
        return "{" + ", ".join(f"{name!r}: {self._part(part, held)}" for name, part in parts) + "}"

    def _part(self, part: p.Part, held: str) -> str:
        if part.constant is not None:
            return repr(part.constant)
        if part.table is not None:
            return f"{self._constant(dict(part.table))}.get({held})"
        match part.name:
            case "amount" | "currency":
                return part.name
            case "name":
                return f"region_name({held})"
            case "code":
                return held
            case _:
                raise p.DeoptimisedError

    def _claim(
        self, item: tuple[str, tuple[tuple[str, str | p.Constant], ...]], row: str, fetch: p.Fetch
    ) -> str:
        column, shown = item
        cell = f"{row}[{fetch.at(column)}]"
        written = [
            f"{name!r}: "
            + (self._constant(one.value) if isinstance(one, p.Constant) else f"claim_{one}({cell})")
            for name, one in shown
        ]
        return "{" + ", ".join(written) + "}"

    # --- lists

    def _list(self, value: p.Across | p.Rows | p.Certificates, key: str) -> str:
        made = self._new("list")
        self._line(f"{made} = []")
        width = 0  # subjects count themselves
        match value:
            case p.Across(fetch, column, role, target):
                self._across(made, fetch, column, role, target, key)
            case p.Rows(fetch, role, fields):
                width = len(fields)
                self._rows(made, fetch, role, fields, key)
            case p.Certificates(types, day):
                width = max((len(one.fields) for one in types), default=0)
                for one in types:
                    self._certificates(made, one, day, key)
        if width:
            self._line(f"spent += {width} * len({made})")
        self._line(f"if len({made}) > {LIST_LIMIT}:")
        self._line("    raise Deoptimised")
        self._bound()
        return made

    def _bound(self) -> None:
        self._line(f"if spent > {MOST_VALUES}:")
        self._line("    raise oversized()")

    def _across(
        self, made: str, fetch: p.Fetch, column: str, role: str | None, target: p.ObjectAt, key: str
    ) -> None:
        row, far = self._new("row"), self._new("key")
        chosen = "" if role is None else f" if {row}[{fetch.at('role')}] == {role!r}"
        cells = f"[{row}[{fetch.at(column)}] for {row} in rows{fetch.index}[{key}]{chosen}]"
        self._line(f"for {far} in dict.fromkeys({cells}):")
        with self._deeper():
            self._line(f"{made}.append({self._object(target, far)})")

    def _rows(self, made: str, fetch: p.Fetch, role: str | None, fields: p.Fields, key: str) -> None:
        row = self._new("row")
        self._line(f"for {row} in rows{fetch.index}[{key}]:")
        with self._deeper():
            if role is not None:
                self._line(f"if {row}[{fetch.at('role')}] != {role!r}:")
                self._line("    continue")
            self._line(f"{made}.append({self._fields(fields, key, row, fetch)})")

    def _certificates(self, made: str, one: p.OfType, day: int | None, key: str) -> None:
        row, fetch = self._new("row"), one.fetch
        self._line(f"for {row} in rows{fetch.index}[{key}]:")
        with self._deeper():
            if day is not None:
                cells = ", ".join(f"{row}[{fetch.at(code)}]" for code in VALIDITY)
                self._line(f"if not was_valid(values[{day}], {cells}):")
                self._line("    continue")
            self._line(f"{made}.append({self._fields(one.fields, key, row, fetch)})")
