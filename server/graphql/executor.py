"""Executes operations through plans of closures, compiled once; graphql-core remains the judge of everything unusual.

graphql-core interprets an operation anew at every request: it collects the fields, builds an info and a path for each,
and completes every value through a dozen calls. For a play of 35 fields that costs more than everything else the server
does. A plan decides all of this once per operation and leaves: call the root resolvers, copy attributes into dicts.

The invariant: a plan's answer is exactly graphql-core's, or it is not given. On any anomaly (a resolver that raises, a
null for a non-null, a value that does not serialize) the very same root results are completed again by graphql-core,
whose errors are the specification's. A root resolver is thereby called once, always: a mutation never runs twice.
Resolvers below the root only read, and may run again.

Subscriptions, introspection and whatever else a plan does not cover are executed by graphql-core from the start.
"""

from __future__ import annotations

from asyncio import CancelledError, gather
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    InlineFragmentNode,
    MiddlewareManager,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    create_source_event_stream,
    execute,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.language import SKIP, DirectiveNode, VariableNode, Visitor, visit
from graphql.pyutils import Path, Undefined, is_awaitable
from graphql.utilities import coerce_input_value
from strawberry import Schema

from server.graphql.closures import Anomaly, Complete, Resolve, Run, Waiting, abandon
from server.graphql.completion import Completion

PLANS_PER_OPERATION = 16
"""Every combination of @skip and @include variables has a plan of its own; past these, graphql-core executes."""

MAX_COERCION_ERRORS = 5


class Outcome:
    """What one root resolver did, so that graphql-core can be told the same again."""

    __slots__ = ("awaitable", "awaited", "error", "value")

    def __init__(self) -> None:
        self.awaitable: Awaitable[Any] | None = None
        self.awaited = False
        self.error: Exception | None = None
        self.value: Any = None

    async def settle(self) -> Any:
        """Await the resolver. Raises: what it raises."""
        awaitable, self.awaitable, self.awaited = self.awaitable, None, True
        try:
            self.value = await awaitable if awaitable is not None else self.value
        except Exception as error:
            self.error = error
            raise
        return self.value

    def again(self) -> Any:
        """Give the outcome once more, in the resolver's own manner: at once, or awaited."""
        if self.awaitable is not None:
            awaitable, self.awaitable = self.awaitable, None
            return awaitable
        return self._again_awaited() if self.awaited else self._again_now()

    def _again_now(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value

    async def _again_awaited(self) -> Any:
        return self._again_now()


class RootField:
    """One compiled root field: its response key, its resolver and the completion of what that answers."""

    __slots__ = ("complete", "key", "resolve")

    def __init__(self, key: str, resolve: Resolve, complete: Complete) -> None:
        self.key = key
        self.resolve = resolve
        self.complete = complete


class CompiledOperation:
    """One operation of a validated document, ready to be executed any number of times."""

    def __init__(
        self, schema: Schema, document: DocumentNode, operation: OperationDefinitionNode, *, hide_suggestions: bool
    ) -> None:
        """Prepare `operation`; its plans are compiled when they are first needed."""
        self.schema = schema
        self.document = document
        self.operation = operation
        self.kind = operation.operation
        self.names = root_names(document, operation)
        self.hide_suggestions = hide_suggestions
        self.fragments = {
            definition.name.value: FragmentDetails(definition)
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.conditions = condition_variables(document)
        self.signatures = self._signatures()
        self.plans: dict[tuple[Any, ...], Sequence[RootField] | None] = {}

    async def execute(self, context: Any, variables: dict[str, Any]) -> ExecutionResult:
        """Run the operation with the raw `variables`, every resolver being told `context`."""
        coerced = self._coerce(variables)
        if isinstance(coerced, list):
            return ExecutionResult(None, coerced)
        roots = self._plan(coerced)
        if roots is None:
            return await self._by_graphql_core(context, variables, {})

        run, outcomes = Run(context, coerced), dict[str, Outcome]()
        data: dict[str, Any] = dict.fromkeys(root.key for root in roots)
        try:
            if self.kind is OperationType.MUTATION:
                await serially(roots, run, data, outcomes)
            else:
                await concurrently(roots, run, data, outcomes)
            return ExecutionResult(data, None)
        except Exception:  # noqa: BLE001, S110
            pass  # whatever it was, graphql-core meets it again in the recorded outcomes, and reports it below
        return await self._by_graphql_core(context, variables, outcomes)

    async def subscribe(self, context: Any, variables: dict[str, Any]) -> AsyncIterable[Any] | ExecutionResult:
        """Start a subscription: the source of its events, or the errors that keep it from starting."""
        executor = self.schema.execution_context_class.build(
            self.schema._schema,
            self.document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=self.operation.name.value if self.operation.name else None,
            max_coercion_errors=MAX_COERCION_ERRORS,
            hide_suggestions=self.hide_suggestions,
            operation_extensions=None,
        )
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        source = create_source_event_stream(executor)
        return await source if isinstance(source, Awaitable) else source

    async def execute_event(self, event: Any, context: Any, variables: dict[str, Any]) -> ExecutionResult:
        """Answer one event of a subscription's source, with a `context` of the event's own."""
        return await self._by_graphql_core(context, variables, {}, root_value=event)

    def _signatures(self) -> list[GraphQLVariableSignature]:
        found = (
            get_variable_signature(self.schema._schema, node) for node in self.operation.variable_definitions or ()
        )
        return [signature for signature in found if not isinstance(signature, GraphQLError)]

    def _coerce(self, raw: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """Coerce variables that are all given and all well; defaults and faults are graphql-core's."""
        coerced: dict[str, Any] = {}
        sources: dict[str, VariableValueSource] = {}
        try:
            for signature in self.signatures:
                given = raw.get(signature.name, Undefined)
                value = Undefined if given is Undefined else coerce_input_value(given, signature.type)
                if value is Undefined:
                    break
                coerced[signature.name] = value
                sources[signature.name] = VariableValueSource(signature, given)
            else:
                return VariableValues(sources, coerced)
        except RecursionError:
            pass  # reported below, without the frames of the recursion as its context
        return get_variable_values(
            self.schema._schema,
            self.operation.variable_definitions or (),
            raw,
            max_errors=MAX_COERCION_ERRORS,
            hide_suggestions=self.hide_suggestions,
        )

    def _plan(self, variables: VariableValues) -> Sequence[RootField] | None:
        """Find the plan for these values of the conditions, or None where graphql-core has to execute."""
        key = tuple(variables.coerced.get(name, Undefined) for name in self.conditions)
        try:
            return self.plans[key]
        except KeyError:
            if len(self.plans) >= PLANS_PER_OPERATION:
                return None
        try:
            plan = self._compile(variables)
        except (Anomaly, GraphQLError):
            plan = None
        self.plans[key] = plan
        return plan

    def _compile(self, variables: VariableValues) -> Sequence[RootField]:
        schema, operation = self.schema._schema, self.operation
        parent = schema.get_root_type(operation.operation)
        if parent is None or operation.operation is OperationType.SUBSCRIPTION:
            raise Anomaly
        # A plan outlives the request: it keeps the conditions alone, not what else the variables hold.
        conditions = VariableValues(
            {name: source for name, source in variables.sources.items() if name in self.conditions},
            {name: value for name, value in variables.coerced.items() if name in self.conditions},
        )
        completion = Completion(self.schema, operation, self.fragments, conditions)
        grouped, _, _ = collect_fields(schema, self.fragments, conditions, parent, operation)
        roots = []
        for key, details in grouped.items():
            name = details[0].node.name.value
            field = schema.get_field(parent, name)
            if field is None or name in ("__schema", "__type"):
                raise Anomaly
            path = Path(None, key, parent.name)
            roots.append(
                RootField(
                    key,
                    completion.resolver(parent, field, details, path),
                    completion.value(field.type, parent, field, details, path),
                )
            )
        return roots

    async def _by_graphql_core(
        self, context: Any, variables: dict[str, Any], outcomes: dict[str, Outcome], *, root_value: Any = None
    ) -> ExecutionResult:
        """Execute with graphql-core; root resolvers that have `outcomes` are not called again."""

        def replay(resolve: Callable[..., Any], source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
            outcome = outcomes.get(str(info.path.key)) if info.path.prev is None else None
            return resolve(source, info, **arguments) if outcome is None else outcome.again()

        result = execute(
            self.schema._schema,
            self.document,
            root_value=root_value,
            context_value=context,
            variable_values=variables,
            operation_name=self.operation.name.value if self.operation.name else None,
            max_coercion_errors=MAX_COERCION_ERRORS,
            middleware=MiddlewareManager(replay) if outcomes else None,
            executor_class=self.schema.execution_context_class,
            hide_suggestions=self.hide_suggestions,
            operation_extensions=None,
        )
        try:
            return result if isinstance(result, ExecutionResult) else await result
        finally:
            # A null root stops graphql-core before it has asked for every resolver that was called already.
            abandon(outcome.awaitable for outcome in outcomes.values())


async def serially(roots: Sequence[RootField], run: Run, data: dict[str, Any], outcomes: dict[str, Outcome]) -> None:
    """Resolve and complete one root field after the other, as mutations ask for. Raises: on the first anomaly."""
    for root in roots:
        outcome = start(root, run, outcomes)
        await finish(root, outcome, run, data)


async def concurrently(
    roots: Sequence[RootField], run: Run, data: dict[str, Any], outcomes: dict[str, Outcome]
) -> None:
    """Resolve and complete all root fields at the same time. Raises: an anomaly, once every field is settled."""
    started = [(root, start(root, run, outcomes)) for root in roots]
    awaitables = [outcome.awaitable for _, outcome in started]
    await all_of([finish(root, outcome, run, data) for root, outcome in started], awaitables)


def start(root: RootField, run: Run, outcomes: dict[str, Outcome]) -> Outcome:
    """Call the resolver and record what it did; a coroutine is left to be awaited. Raises: what it raises."""
    outcome = outcomes[root.key] = Outcome()
    try:
        result = root.resolve(None, run)
    except Exception as error:
        outcome.error = error
        raise
    if is_awaitable(result):
        outcome.awaitable = result
    else:
        outcome.value = result
    return outcome


async def finish(root: RootField, outcome: Outcome, run: Run, data: dict[str, Any]) -> None:
    """Await the root resolver where needed and put its completed value into `data`."""
    value = outcome.value if outcome.awaitable is None else await outcome.settle()
    await complete_into(data, root.key, root.complete, value, run)


async def settle(waiting: Waiting, run: Run) -> None:
    """Await a resolver below the root and put its completed value where it belongs."""
    value = await waiting.awaitable
    await complete_into(waiting.target, waiting.key, waiting.complete, value, run)


async def complete_into(target: dict[str, Any], key: str, complete: Complete, value: Any, run: Run) -> None:
    """Complete `value` into its place, together with everything below it that has to be awaited."""
    # Completing never yields, so nobody else's fields get onto the list meanwhile.
    run.waiting = waiting = list[Waiting]()
    try:
        target[key] = complete(value, run)
    except Exception:
        abandon(field.awaitable for field in waiting)
        raise
    if waiting:
        await all_of([settle(field, run) for field in waiting], [field.awaitable for field in waiting])


async def all_of(steps: Sequence[Awaitable[None]], awaitables: Sequence[Any]) -> None:
    """Await all steps, concurrently, each of which awaits what a resolver gave.

    Raises: the first exception, after all are settled, so that nothing runs on behind.
    """
    if len(steps) == 1:
        await steps[0]
        return
    try:
        results = await gather(*steps, return_exceptions=True)
    except CancelledError:
        abandon(awaitables)  # some steps had not begun
        raise
    for result in results:
        if isinstance(result, BaseException):
            raise result


def root_names(document: DocumentNode, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """The names of the root fields that an operation may ask for, each once, as the schema writes them."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    names: dict[str, None] = {}

    def look(selections: SelectionSetNode) -> None:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                names[node.name.value] = None
            elif isinstance(node, InlineFragmentNode):
                look(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                look(fragments[node.name.value].selection_set)

    look(operation.selection_set)
    return tuple(names)


def condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """Find the variables that decide which fields are selected."""
    names: dict[str, None] = {}

    class Conditions(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
            names.update(
                (argument.value.name.value, None)
                for argument in node.arguments or ()
                if isinstance(argument.value, VariableNode)
            )
            return SKIP

    visit(document, Conditions())
    return tuple(names)
