"""Answers one operation: what it asks, permit and intent, execution, seal and outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from inspect import isawaitable
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError, OperationType, execute
from msgspec.structs import replace

from hub.audit.model import Purpose, Result
from hub.catalogue.service import Active
from hub.facts.service import FactService, Inquiry
from hub.kernel.errors import Code, Problem
from hub.kernel.log import get_log
from hub.regions.service import RegionService
from schema.build import Contract
from schema.context import Context
from schema.cost import cost_of
from schema.errand import Errand
from schema.execution.detours import Detours
from schema.execution.document import Document
from schema.execution.prepare import Ready
from schema.execution.waves import UNPLANNED, Waves
from schema.faults import Error, Words, problem_of, root_cause
from schema.loaders import Loaders

Response = dict[str, Any]


class Request(msgspec.Struct, frozen=True):
    """One GraphQL request (GraphQL over HTTP), its members checked for their types."""

    query: str
    operation_name: str | None
    variables: Mapping[str, Any]
    members: Mapping[str, Any]  # as they came, for the receipt
    trusted: bool = False  # whether the query is a trusted document's
    safe: bool = False  # whether it came by a method that may change nothing


class Answered(msgspec.Struct, frozen=True):
    """A response body, the problem that refused the whole request if one did, and the estimated cost."""

    body: Response
    refused: Problem | None = None
    cost: int | None = None


class Asker(msgspec.Struct, frozen=True):
    """Who asks and why. ``purpose`` is demanded only of operations that read facts.

    ``cost_limit``: what one question may cost. ``presence`` is entered while agencies are asked; it may
    cancel the task. ``errand`` is asked whether the client's quotas allow the question.
    """

    may_introspect: bool
    purpose: Purpose | Problem
    words: Words
    cost_limit: int
    presence: AbstractContextManager[None]
    errand: Errand


class Answering:
    """The narrator of a request, from its document to its sealed answer."""

    def __init__(
        self,
        contract: Callable[[], tuple[Contract, Active]],
        facts: FactService,
        regions: RegionService,
        detours: Detours,
    ) -> None:
        self.contract = contract
        self.facts = facts
        self.regions = regions
        self.detours = detours

    async def answer(self, request: Request, asker: Asker) -> Answered:
        """Raises HubError(LOG_UNAVAILABLE, OUTCOME_UNRECORDED): then no answer may leave."""
        contract, active = self.contract()
        document = contract.documents.read(request.query, trusted=request.trusted)
        if isinstance(document, tuple):
            return _mistaken(document, asker.words)
        operation = document.operation(request.operation_name)
        if isinstance(operation, Problem):
            return refusal(asker.words, operation)
        if request.safe and operation.operation is not OperationType.QUERY:
            return refusal(asker.words, Problem(Code.METHOD_NOT_ALLOWED))
        ready = contract.prepared(document, operation).ready(request.variables)
        if isinstance(ready, tuple):
            return refusal(asker.words, *ready)
        if ready.asked.introspects and not asker.may_introspect:
            return refusal(asker.words, Problem(Code.INTROSPECTION_NOT_ALLOWED))
        run = Run(contract, document, request, ready, asker.words, self.detours)
        if not ready.asked.question.fields:
            return Answered(await run.ordinarily(run.context(self.regions, Loaders(None))))
        cost = cost_of(ready, active.snapshot.supplies)
        if cost > asker.cost_limit:
            detail = {"cost": str(cost), "maximum": str(asker.cost_limit)}
            return replace(refusal(asker.words, Problem(Code.COST_TOO_HIGH, detail)), cost=cost)
        return await self._inquire(run, asker, active, cost)

    async def _inquire(self, run: Run, asker: Asker, active: Active, cost: int) -> Answered:
        if isinstance(asker.purpose, Problem):
            return replace(refusal(asker.words, asker.purpose), cost=cost)
        excess = await asker.errand.take(asker.purpose.client, run.ready.asked.question)
        if excess:
            return replace(refusal(asker.words, excess), cost=cost)
        inquiry = await self.facts.begin(asker.purpose, run.ready.asked.question, active)
        if isinstance(inquiry, Problem):
            return replace(refusal(asker.words, inquiry), cost=cost)
        asker.errand.begin(inquiry)
        try:
            with asker.presence:
                body = await run.body(inquiry, self.regions)
        except BaseException as broken:
            gone = isinstance(broken, asyncio.CancelledError)
            await asyncio.shield(inquiry.give_up(Result.ABANDONED if gone else Result.FAILED))
            raise
        finally:
            asker.errand.end(inquiry)
        return Answered(await _sealed(run.request, body, inquiry), cost=cost)


async def _sealed(request: Request, body: Response, inquiry: Inquiry) -> Response:
    sealed = await inquiry.finish(request.members, body)
    return body | {"extensions": {"receipt": sealed.receipt, "receiptSalt": sealed.salt}}


class Run(msgspec.Struct, frozen=True):
    """One operation: by its plan, or on the ordinary executor over the same inquiry."""

    contract: Contract
    document: Document
    request: Request
    ready: Ready
    words: Words
    detours: Detours

    async def body(self, inquiry: Inquiry, regions: RegionService) -> Response:
        """The response without extensions: data, and numbered errors at their paths."""
        waves = Waves(inquiry)
        if self.ready.compiled is not None:
            try:
                return {"data": await waves.answer(self.ready, self.ready.compiled, regions.full_name)}
            except UNPLANNED as reason:  # a fault or an oddity: the ordinary executor says which
                self.detours.count(reason)
        with inquiry.service.tracing.span("shape"):
            return await self.ordinarily(self.context(regions, Loaders(inquiry, waves.asked)))

    def context(self, regions: RegionService, loaders: Loaders) -> Context:
        """What the resolvers of this operation go by."""
        asked = self.ready.asked
        return Context(self.contract.snapshot, regions, loaders, asked.reads, asked.widths)

    async def ordinarily(self, context: Context) -> Response:
        """The response by graphql-core."""
        result = execute(
            self.contract.schema,
            self.document.ast,
            context_value=context,
            variable_values=dict(self.request.variables),
            operation_name=self.request.operation_name,
            hide_suggestions=True,
        )
        answered: ExecutionResult = await _awaited(result)
        context.budget.check()
        body: Response = {"data": answered.data}
        if answered.errors:
            context.budget.errors(len(answered.errors))
            body["errors"] = [self._present(error) for error in answered.errors]
        return body

    def _present(self, error: GraphQLError) -> Error:
        if problem_of(error).code is Code.INTERNAL:
            operation = self.document.digest.hex()
            get_log().error("resolver_failed", operation=operation, exc_info=root_cause(error))
        return self.words.present(error)


async def _awaited(result: Any) -> Any:
    return await result if isawaitable(result) else result


def refusal(words: Words, *problems: Problem) -> Answered:
    """The whole request refused: no data, one error for each problem."""
    return Answered({"errors": words.all_of(problems)}, problems[0])


def _mistaken(mistakes: tuple[GraphQLError, ...], words: Words) -> Answered:
    return Answered({"errors": [words.present(mistake) for mistake in mistakes]}, problem_of(mistakes[0]))
