"""From a definition to the program that the engine runs."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import msgspec

from weft_language.compilation.calendars import calendar_use
from weft_language.compilation.nodes import compile_node
from weft_language.compilation.program import ROOT, ConcurrencyRule, Edge, Graph, Node, Program, ProgramSettings, Sla
from weft_language.compilation.triggers import compile_triggers
from weft_language.compilation.work import CompensateWork, StateWork
from weft_language.expressions import ExpressionError, Template, compile_expression, compile_template
from weft_language.findings import Finding, InvalidDefinition
from weft_language.json_schemas import InvalidSchema, SchemaCheck
from weft_language.model import Definition, parse_duration, to_document
from weft_language.model import Edge as WrittenEdge
from weft_language.model import Node as WrittenNode
from weft_language.model.work_action import CompensateWith
from weft_language.model.work_data import ForeachWith, GroupWith, LoopWith, ParallelWith
from weft_language.model.work_data import Graph as WrittenGraph
from weft_language.validation.publishing import publish_findings

_ANY_OBJECT = {"type": "object"}


def compile_definition(definition: Definition, version: int) -> Program:
    """The program of a definition; expressions, templates and schemas are compiled once, here.

    Raises: InvalidDefinition when a part is not executable yet, or when the definition was never validated and cannot be compiled.
    """
    refused = publish_findings(definition)
    if refused:
        raise InvalidDefinition(refused)
    try:
        return _compile(definition, version)
    except (ExpressionError, InvalidSchema) as error:
        raise InvalidDefinition((Finding("error", error.code, "", str(error)),)) from error


def _compile(definition: Definition, version: int) -> Program:
    scopes: dict[str, Graph] = {}
    nodes: dict[str, Node] = {}
    for graph_id, parent, written in _graphs(definition):
        scopes[graph_id] = Graph(graph_id, written.start or written.nodes[0].id, tuple(node.id for node in written.nodes), parent)
        frame = nodes[parent].frame if parent is not None and nodes[parent].type == "group" else graph_id
        edges = _edges(written)
        for node in written.nodes:
            if node.id in nodes:
                message = f"the id `{node.id}` is used twice"
                raise InvalidDefinition((Finding("error", "duplicate_id", "/nodes", message, node.id),))
            nodes[node.id] = compile_node(node, graph_id, edges.get(node.id, {}), frame)
    nodes.update(_compensating(definition, scopes, nodes))
    document = to_document(definition)
    as_json = msgspec.json.encode(document)
    states = (node.work for node in nodes.values() if isinstance(node.work, StateWork))
    return Program(
        slug=definition.slug,
        version=version,
        name=definition.name,
        labels=dict(definition.labels),
        input=SchemaCheck(_ANY_OBJECT if definition.input is None else definition.input),
        vars={name: compile_template(value) for name, value in definition.vars.items()},
        output=_output(definition),
        scopes=scopes,
        nodes=nodes,
        settings=_settings(definition),
        sla=_sla(definition),
        signals=frozenset(name for work in states for name in work.signals),
        triggers=compile_triggers(definition.triggers),
        definition=document,
        names_queues=b'"queue":' in as_json,
        reads_tenant=b"tenant" in as_json or any(_by_tier(node) for node in nodes.values()),
        calendars=calendar_use(definition),
    )


def _graphs(definition: Definition) -> Iterator[tuple[str, str | None, Definition | WrittenGraph]]:
    """(id, node it belongs to, graph) of every graph, outer before inner."""
    waiting: list[tuple[str, str | None, Definition | WrittenGraph]] = [(ROOT, None, definition)]
    while waiting:
        graph_id, parent, graph = waiting.pop(0)
        yield graph_id, parent, graph
        for node in graph.nodes:
            waiting.extend((inner_id, node.id, inner) for inner_id, inner in _inside(node))


def _inside(node: WrittenNode) -> Iterator[tuple[str, WrittenGraph]]:
    """(id, graph) of the graphs a node holds."""
    part = node.with_
    if isinstance(part, GroupWith):
        yield node.id, part
    elif isinstance(part, (ForeachWith, LoopWith)):
        yield node.id, part.body
    elif isinstance(part, ParallelWith):
        for name, branch in part.branches.items():
            yield f"{node.id}/{name}", branch


def _by_tier(node: Node) -> bool:
    """Whether it depends on the tenant's tier without saying so."""
    return node.enhance is not None or node.type.startswith("ai.")


def _compensating(definition: Definition, scopes: Mapping[str, Graph], nodes: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    """The `compensate` nodes, with what each may undo."""
    written = {node.id: node for _, _, graph in _graphs(definition) for node in graph.nodes}
    for node in nodes.values():
        part = written[node.id].with_
        if isinstance(part, CompensateWith):
            within = None if part.scope is None else frozenset(_below(part.scope, scopes))
            yield node.id, replace(node, work=CompensateWork(within))


def _below(owner: str, scopes: Mapping[str, Graph]) -> Iterator[str]:
    """Every node in the graphs of a node, however deep."""
    for graph in scopes.values():
        if graph.parent_node == owner:
            for node in graph.nodes:
                yield node
                yield from _below(node, scopes)


def _edges(graph: Definition | WrittenGraph) -> dict[str, dict[str, tuple[Edge, ...]]]:
    """Edges by node and outcome, in listed order; a graph without edges runs its nodes in listed order."""
    written = graph.edges or tuple(_implied(graph.nodes))
    found: dict[str, dict[str, tuple[Edge, ...]]] = {}
    for edge in written:
        by_outcome = found.setdefault(edge.source, {})
        when = None if edge.when is None else compile_expression(edge.when)
        by_outcome[edge.on] = (*by_outcome.get(edge.on, ()), Edge(edge.to, when, edge.label))
    return found


def _implied(nodes: tuple[WrittenNode, ...]) -> Iterator[WrittenEdge]:
    for node, following in pairwise(nodes):
        if node.type not in ("end", "fail"):
            yield WrittenEdge.model_validate({"from": node.id, "to": following.id})


def _output(definition: Definition) -> Template | None:
    return compile_template(definition.output) if definition.output else None


def _sla(definition: Definition) -> Sla | None:
    written = definition.sla
    return None if written is None else Sla(parse_duration(written.due), written.warn_at, written.calendar)


def _settings(definition: Definition) -> ProgramSettings:
    written = definition.settings
    rule = written.concurrency
    key = None if rule is None or rule.key is None else compile_template(rule.key)
    return ProgramSettings(
        max_duration_s=None if written.max_duration is None else parse_duration(written.max_duration),
        signal_ttl_s=parse_duration(written.signal_ttl),
        priority=written.priority,
        retention_days=written.retention_days,
        concurrency=None if rule is None else ConcurrencyRule(rule.limit, key, rule.on_conflict),
        compensates=written.on_failure == "compensate",
    )
