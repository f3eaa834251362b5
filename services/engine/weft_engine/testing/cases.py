"""Whatever an outside may answer a definition, as a hypothesis strategy, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from weft_language import compile_definition, parse
from weft_language.compilation import ActivityWork, CallWork, ConnectorWork, Node, Program, StateWork, TaskWork
from weft_language.nodes import entry as catalogued

from weft_engine.core.context import Context
from weft_engine.core.items import Start
from weft_engine.core.simulating import TIMEOUT, Answers, Simulation, begin
from weft_engine.testing.values import ANYTHING, values

NOW: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ID: Final = UUID("0190a6f0-0000-7000-8000-000000000001")
_CODES: Final = ("http_status", "timeout", "unavailable")
_SEVERAL: Final = 3
"""Visits of a node whose outcomes may differ; all further ones end as the last of them."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way that things may go: what an execution is started with, and what the outside answers."""

    input: dict[str, Any] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)


def cases(definition: Mapping[str, Any]) -> SearchStrategy[Case]:
    """Every way that things may go with a definition, as far as its schemas tell. Raises: InvalidDefinition."""
    program = compile_definition(parse(definition), 1)
    asking = {name: node for name, node in program.nodes.items() if isinstance(node.work, ActivityWork | ConnectorWork | CallWork)}
    resting = {name: node for name, node in program.nodes.items() if isinstance(node.work, TaskWork | StateWork)}
    outputs = {name: _output(node) for name, node in asking.items()} | {name: _payload(node) for name, node in resting.items()}
    outcomes = {name: st.lists(st.sampled_from(_outcomes(node)), min_size=1, max_size=_SEVERAL) for name, node in resting.items()}
    errors = {
        name: st.fixed_dictionaries({"code": st.sampled_from(_codes(node)), "permanent": st.booleans()}) for name, node in asking.items()
    }
    answers = st.builds(
        Answers,
        outputs=st.fixed_dictionaries(outputs),
        outcomes=st.fixed_dictionaries({}, optional=outcomes),
        errors=st.fixed_dictionaries({}, optional={name: one.map(_as_error) for name, one in errors.items()}),
    )
    return st.builds(Case, _input(program), answers)


def simulated(definition: Mapping[str, Any], case: Case, tenant: Mapping[str, Any] | None = None) -> Simulation:
    """What comes of a case. tenant: `{id, tier, settings}`, one of the standard tier where it is left out. Raises: InvalidDefinition."""
    program = compile_definition(parse(definition), 1)
    context = Context(tenant or {"id": "test", "tier": "standard", "settings": {}})
    start = Start(ID, program.slug, 1, case.input, {"type": "manual", "payload": case.input})
    return begin(start, str(context.tenant["id"]), NOW, program, context, case.answers)


def _input(program: Program) -> SearchStrategy[dict[str, Any]]:
    schema = program.input.schema
    return values({"type": "object", **schema} if isinstance(schema, dict) else {"type": "object"})


def _output(node: Node) -> SearchStrategy[Any]:
    known = catalogued(node.type)
    return values(known.output) if known is not None and known.output else ANYTHING


def _payload(node: Node) -> SearchStrategy[Any]:
    work = node.work
    if isinstance(work, TaskWork):
        return values(work.form_check.schema) if work.form_check is not None else ANYTHING
    checks = [check for check in work.signals.values() if check is not None] if isinstance(work, StateWork) else []
    return st.one_of(*(values(check.schema) for check in checks)) if checks else ANYTHING


def _outcomes(node: Node) -> list[str]:
    work = node.work
    if isinstance(work, TaskWork):
        return [*work.outcomes, *([TIMEOUT] if node.edges.get(TIMEOUT) else [])]
    return [*work.signals, *work.events, *(name for name, _ in work.after)] if isinstance(work, StateWork) else []


def _codes(node: Node) -> list[str]:
    known = catalogued(node.type)
    return [code for code, _ in known.errors] if known is not None and known.errors else list(_CODES)


def _as_error(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"message": "as the case has it", **given}
