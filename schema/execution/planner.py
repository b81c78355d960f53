"""Makes a plan of an operation: places, fetches merged by wave and offering, and the shape of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_non_null_type,
)
from graphql.execution.values import VariableValues

from hub.catalogue.model import FieldCode, Label, RecordCode, RecordType
from hub.subjects.model import Scheme, subjects_of
from schema.certificates import HOLDER, VALIDITY
from schema.evidence_types import type_name
from schema.execution import plan as p
from schema.execution.collect import Collected, Selections
from schema.execution.document import Document
from schema.federation import RECORDS, subject_of
from schema.forms import Amount, Coded, Division, FactForm, fact_of
from schema.records import NameLanguage, named
from schema.subjects import BUSINESS_KEY, PERSON_KEY, ROLE, BusinessRole

KEYS = {"Person": PERSON_KEY, "Business": BUSINESS_KEY}
SCHEMES = {"Person": Scheme.RESIDENT_ID, "Business": Scheme.USCC}
PERSON_ID = "person_id"
ENDS = {"Person": (PERSON_ID, BUSINESS_KEY), "Business": (BUSINESS_KEY, PERSON_ID)}
"""By type: the column of a relation that holds the subject itself, and the one that holds the other."""


class NotPlannedError(Exception):
    """The operation holds something that only the ordinary executor does."""


def plan_of(
    schema: GraphQLSchema,
    records: Mapping[RecordCode, RecordType],
    document: Document,
    operation: OperationDefinitionNode,
    variables: VariableValues,
) -> p.Plan | None:
    """The plan of an operation for variables of this structure, or None when it cannot be planned."""
    planner = _Planner(schema, records, Selections(schema, document.fragments, variables))
    try:
        return planner.operation(operation)
    except NotPlannedError:
        return None


class _Planner:
    def __init__(
        self, schema: GraphQLSchema, records: Mapping[RecordCode, RecordType], selections: Selections
    ) -> None:
        self.schema = schema
        self.records = records
        self.selections = selections
        self.places: list[p.Place] = []
        self.fetches: list[p.Fetch] = []
        self.roots: list[p.Root] = []
        self.checks: list[p.NameCheck] = []
        self.values: list[p.Getter] = []
        self.links: Mapping[str, Callable[[p.Place, str, Collected], p.Value]] = {
            "businesses": self._across,
            "people": self._across,
            "relations": self._relations,
            "certificates": self._certificates,
        }

    def operation(self, operation: OperationDefinitionNode) -> p.Plan:
        query = self.schema.query_type
        if operation.operation.value != "query" or query is None:
            raise NotPlannedError
        for response, at in self.selections.of([operation.selection_set], query).items():
            self._root(response, at)
        for fetch in self.fetches:
            fetch.asked = tuple(fetch.columns)
            fetch.earlier = tuple(one for one in self.fetches if _is_earlier(one, fetch))
        last = max((fetch.wave for fetch in self.fetches), default=-1)
        waves = tuple(tuple(one for one in self.fetches if one.wave == wave) for wave in range(last + 1))
        return p.Plan(
            tuple(self.places),
            tuple(self.fetches),
            tuple(self.roots),
            tuple(self.checks),
            tuple(self.values),
            waves,
            tuple(place for place in self.places if not any(place in fetch.places for fetch in self.fetches)),
        )

    # --- roots

    def _root(self, response: str, at: Collected) -> None:
        match at.name:
            case "person" | "people":
                self._subjects(response, at, "Person")
            case "business" | "businesses":
                self._subjects(response, at, "Business")
            case "_entities":
                self._entities(response, at)
            case "__typename":
                self.roots.append(p.Root(response, lambda _: [], False, (), at.parent))
            case _:
                raise NotPlannedError

    def _subjects(self, response: str, at: Collected, kind: str) -> None:
        index, scheme = len(self.roots), SCHEMES[kind]
        (name, argument) = next((name, one) for name, one in at.arguments.items() if name != "name")
        many = name in ("idNumbers", "usccs")
        place = self._place(scheme, 0, p.FromRoot(index))
        given = at.arguments.get("name") if at.statics.get("name") is not None else None
        target = self._object(place, kind, at.nodes, given=given, root=index)

        def keys(values: p.Values) -> p.Keyed:
            found = argument(values)
            return [(kind, subject) for subject in subjects_of(scheme, found if many else [found])]

        self.roots.append(p.Root(response, keys, many, ((kind, target),)))

    def _entities(self, response: str, at: Collected) -> None:
        index, argument = len(self.roots), at.arguments["representations"]
        types = {representation["__typename"] for representation in at.statics["representations"]}
        targets = []
        for kind in sorted(types):
            place = self._place(SCHEMES[kind], 0, p.FromRoot(index, kind))
            targets.append((kind, self._object(place, kind, at.nodes)))

        def keys(values: p.Values) -> p.Keyed:
            return [(one["__typename"], subject_of(one)) for one in argument(values)]

        self.roots.append(p.Root(response, keys, True, tuple(targets)))

    # --- objects

    def _object(
        self,
        place: p.Place,
        kind: str,
        nodes: Sequence[FieldNode],
        *,
        given: p.Getter | None = None,
        root: int = 0,
    ) -> p.ObjectAt:
        record = RECORDS[kind]
        fields = self.selections.below(nodes, self._type(kind))
        base = self._fetch(place, record, KEYS[kind]) if given or _reads_base(fields, kind) else None
        beyond = place
        if given is not None and base is not None:
            base.want("name")
            self.checks.append(p.NameCheck(root, given, base))
            beyond = self._place(place.scheme, place.wave + 1, p.Confirmed(place, base))
        return p.ObjectAt(
            base,
            tuple((response, self._value(place, beyond, base, kind, at)) for response, at in fields.items()),
        )

    def _value(
        self, place: p.Place, beyond: p.Place, base: p.Fetch | None, kind: str, at: Collected
    ) -> p.Value:
        if at.name == "__typename":
            return p.Constant(kind)
        if at.name in self.links:
            return self.links[at.name](beyond, kind, at)
        if base is None:
            raise NotPlannedError
        if at.name == "legalRepresentative":
            return self._one(place, base, "legal_representative", "Person", at)
        if at.name in ("idNumber", "uscc"):
            base.want(KEYS[kind])
            return p.KeyValue()
        return self._plain(base, KEYS[kind], at)

    def _one(self, place: p.Place, fetch: p.Fetch, column: str, kind: str, at: Collected) -> p.One:
        fetch.want(column)
        target = self._place(SCHEMES[kind], fetch.wave + 1, p.FromRows(place, fetch, column, firm=False))
        return p.One(column, self._object(target, kind, at.nodes))

    def _across(self, place: p.Place, kind: str, at: Collected) -> p.Value:
        near, far = ENDS[kind]
        role = _role(at)
        fetch = self._fetch(place, ROLE, near)
        fetch.want(near, far, *(("role",) if role else ()))
        other = "Business" if kind == "Person" else "Person"
        target = self._place(SCHEMES[other], fetch.wave + 1, p.FromRows(place, fetch, far, role))
        return p.Across(fetch, far, role, self._object(target, other, at.nodes))

    def _relations(self, place: p.Place, kind: str, at: Collected) -> p.Value:
        near, role = ENDS[kind][0], _role(at)
        fetch = self._fetch(place, ROLE, near)
        fetch.want(near, *(("role",) if role else ()))
        fields = self.selections.below(at.nodes, self._type("Relation"))
        return p.Rows(
            fetch, role, tuple((name, self._related(place, fetch, role, one)) for name, one in fields.items())
        )

    def _related(self, place: p.Place, fetch: p.Fetch, role: str | None, at: Collected) -> p.Value:
        match at.name:
            case "__typename":
                return p.Constant("Relation")
            case "person" | "business":
                kind = at.name.capitalize()
                column = PERSON_ID if kind == "Person" else BUSINESS_KEY
                fetch.want(column)
                feed = p.FromRows(place, fetch, column, role)
                target = self._place(SCHEMES[kind], fetch.wave + 1, feed)
                return p.One(column, self._object(target, kind, at.nodes))
            case _:
                return self._plain(fetch, "role", at)

    # --- certificates

    def _certificates(self, place: p.Place, _: str, at: Collected) -> p.Value:
        day = None
        if at.statics.get("validOn"):
            day = len(self.values)
            self.values.append(at.arguments["validOn"])
        types = dict.fromkeys(at.statics["types"])
        return p.Certificates(tuple(self._of_type(place, code, day, at) for code in types), day)

    def _of_type(self, place: p.Place, code: str, day: int | None, at: Collected) -> p.OfType:
        record = self.records[RecordCode(code)]
        fetch = self._fetch(place, code, HOLDER)
        fetch.want(HOLDER, *(VALIDITY if day is not None else ()))
        fields = self.selections.below(at.nodes, self._type(type_name(code)))
        return p.OfType(
            fetch, tuple((name, self._certified(fetch, record, one)) for name, one in fields.items())
        )

    def _certified(self, fetch: p.Fetch, record: RecordType, at: Collected) -> p.Value:
        match at.name:
            case "__typename":
                return p.Constant(type_name(record.code))
            case "type":
                return p.Constant(self._evidence_type(record, at))
            case "claims":
                return self._claims(fetch, record, at)
            case "holder" | "issuer":
                fields = self.selections.below(at.nodes, self._type(at.name.capitalize()))
                return p.Nested(
                    tuple((name, self._plain(fetch, HOLDER, one)) for name, one in fields.items())
                )
            case _:
                return self._plain(fetch, HOLDER, at)

    def _evidence_type(self, record: RecordType, at: Collected) -> dict[str, Any]:
        told = {"code": record.code, "standard": record.standard, "__typename": "EvidenceType"}
        return {
            name: _label(record.name, one) if one.name == "name" else told[one.name]
            for name, one in self.selections.below(at.nodes, self._type("EvidenceType")).items()
        }

    def _claims(self, fetch: p.Fetch, record: RecordType, at: Collected) -> p.Value:
        parts = self.selections.below(at.nodes, self._type("Claim"))
        items = []
        for code in at.statics["names"]:
            field = record.fields.get(FieldCode(code))
            if field is None:
                continue
            fetch.want(code)
            told = {"name": code, "__typename": "Claim"}
            shown = tuple(
                (
                    name,
                    one.name
                    if one.name in ("value", "values")
                    else p.Constant(_label(field.name, one) if one.name == "label" else told[one.name]),
                )
                for name, one in parts.items()
            )
            items.append((code, shown))
        return p.Claims(tuple(items))

    # --- facts, and the bookkeeping of places and fetches

    def _plain(self, fetch: p.Fetch, key: str, at: Collected) -> p.Value:
        if at.name == "__typename":
            return p.Constant(at.parent)
        if at.name == "source":
            fetch.want(key)
            return p.SourceValue(self._source(at))
        fact = fact_of(at.definition)
        if fact is None:
            raise NotPlannedError
        fetch.want(fact.code)
        parts: tuple[tuple[str, p.Part], ...] = ()
        if isinstance(fact.form, Amount | Division | Coded):
            inner = self.selections.below(at.nodes, self._type(get_named_type(at.definition.type).name))
            parts = tuple((name, _part(fact.form, one)) for name, one in inner.items())
        firm = is_non_null_type(at.definition.type)
        return p.FactValue(fact.code, fact.form, parts, firm)

    def _source(self, at: Collected) -> tuple[tuple[str, p.SourcePart], ...]:
        return tuple(
            (response, self._agency(one) if one.name == "agency" else one.name)
            for response, one in self.selections.below(at.nodes, self._type("Source")).items()
        )

    def _agency(self, at: Collected) -> tuple[tuple[str, str], ...]:
        return tuple(
            (response, str(_language(one).value) if one.name == "name" else one.name)
            for response, one in self.selections.below(at.nodes, self._type("Agency")).items()
        )

    def _type(self, name: str) -> GraphQLObjectType:
        found = self.schema.type_map[name]
        if not isinstance(found, GraphQLObjectType):
            raise NotPlannedError
        return found

    def _place(self, scheme: Scheme, wave: int, feed: p.Feed) -> p.Place:
        place = p.Place(len(self.places), scheme, wave, feed)
        self.places.append(place)
        return place

    def _fetch(self, place: p.Place, record: str, key: str) -> p.Fetch:
        """The fetch of this record by this key in the place's wave: one for all places."""
        at = (place.wave, RecordCode(record), FieldCode(key))
        fetch = next((one for one in self.fetches if (one.wave, one.record, one.key) == at), None)
        if fetch is None:
            fetch = p.Fetch(len(self.fetches), *at)
            self.fetches.append(fetch)
        if place not in fetch.places:
            fetch.places.append(place)
        return fetch


def _is_earlier(one: p.Fetch, other: p.Fetch) -> bool:
    same = (one.record, one.key) == (other.record, other.key)
    return same and one.wave < other.wave and one.columns.keys() >= other.columns.keys()


def _reads_base(fields: Mapping[str, Collected], kind: str) -> bool:
    beyond = {"__typename", "relations", "certificates", "businesses" if kind == "Person" else "people"}
    return any(at.name not in beyond for at in fields.values())


def _role(at: Collected) -> str | None:
    role = at.statics.get("role")
    return None if role is None else str(BusinessRole(role).value)


def _language(at: Collected) -> NameLanguage:
    return NameLanguage(at.statics["language"])


def _label(label: Label, at: Collected) -> str:
    return named(label, _language(at))


def _part(form: FactForm, at: Collected) -> p.Part:
    if at.name == "__typename":
        return p.Part(at.name, constant=at.parent)
    if at.name == "name" and isinstance(form, Coded):
        return p.Part("name", {code: _label(label, at) for code, label in form.codes.items()})
    return p.Part(at.name)
