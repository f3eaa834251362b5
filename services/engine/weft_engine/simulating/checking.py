"""Whether what is said of the outside fits the definition: typos never pass silently. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from weft_contracts.cloudevents import CloudEvent, CloudEventError
from weft_contracts.cloudevents.structured import from_document
from weft_language.compilation import Program, StateWork, TaskWork
from weft_language.findings import pointer_of
from weft_runtime.errors import Detail, Invalid

from weft_engine.core.enhancing import SUFFIX as ENHANCEMENT
from weft_engine.core.nodes.undoing import SUFFIX
from weft_engine.core.simulating import TIMEOUT
from weft_engine.errors import NodesUnknown
from weft_engine.simulating.schemas import AnswersBody, ExecutionSimulation, SimulationBody

NAMED: Final = 200
"""Characters of a node's name that an answer repeats: it may be anything."""
ASSUMED: Final = {"specversion": "1.0", "id": "simulated", "source": "simulation"}
"""What an event is taken to say where it does not."""


def check_beginning(body: SimulationBody) -> None:
    """Raises: Invalid for two beginnings at once. Looked at after what it is of, so that nobody learns what is another tenant's."""
    if body.event is not None and (body.input is not None or body.key is not None):
        raise _together("/event", "an event brings its own input and key: give either `event`, or `input` and `key`")


def event_of(body: SimulationBody) -> CloudEvent | None:
    """The event that begins it, read as one that is sent is read. Raises: Invalid, with a pointer to each attribute that is wrong."""
    if body.event is None:
        return None
    try:
        return from_document(ASSUMED | {name: value for name, value in body.event.items() if value is not None})
    except CloudEventError as error:
        details = [Detail(f"/event{problem.pointer}", problem.code, problem.detail) for problem in error.problems]
        raise Invalid("`event` is no CloudEvent; `errors` says what is wrong", details=details) from error


def check_fork(body: ExecutionSimulation) -> None:
    """Raises: Invalid for what does not go together. Looked at as above."""
    if body.version is not None and body.definition is not None:
        raise _together("/definition", "give `version` or `definition`, not both")
    if body.at is not None and (body.input is not None or body.version is not None or body.definition is not None):
        raise _together("/at", "another input, version or definition is for a simulation from the start: leave `at` out")


def _together(pointer: str, message: str) -> Invalid:
    return Invalid(message, details=[Detail(pointer, "one_of", message)])


def check_answers(body: AnswersBody, program: Program) -> None:
    """Raises: NodesUnknown, with a pointer to each answer of a node that is not there, or that the node cannot give."""
    wrong = [*_unknown(body, program), *_outcomes(body, program), *_forms(body, program)]
    if wrong:
        raise NodesUnknown(f"what is said of the outside does not fit {program.slug!r}", details=wrong)


def _unknown(body: AnswersBody, program: Program) -> Iterator[Detail]:
    undoings = (f"{name}{SUFFIX}" for name, node in program.nodes.items() if node.undo is not None)
    enhancements = (f"{name}{ENHANCEMENT}" for name, node in program.nodes.items() if node.enhance is not None)
    known = {*program.nodes, *undoings, *enhancements}
    for member in ("outputs", "outcomes", "errors"):
        for name in getattr(body, member):
            if name not in known:
                yield Detail(pointer_of(member, name[:NAMED]), "unknown_node", f"the definition has no node {name[:100]!r}")
    for name in body.errors:
        if name in known and isinstance(_work(program, name), StateWork):
            yield Detail(pointer_of("errors", name[:NAMED]), "not_possible", f"{name} rests and asks nobody, so nobody can fail")


def _outcomes(body: AnswersBody, program: Program) -> Iterator[Detail]:
    for name, given in body.outcomes.items():
        possible = _possible(_work(program, name))
        for outcome in [given] if isinstance(given, str) else given:
            if possible is not None and outcome not in possible:
                yield Detail(
                    pointer_of("outcomes", name[:NAMED]),
                    "unknown_outcome",
                    f"{name} ends with {', '.join(possible)}, never with {outcome[:100]!r}",
                )


def _possible(work: Any) -> Sequence[str] | None:
    """The outcomes that an outside can choose, None where it may be any."""
    if isinstance(work, TaskWork):
        return (*work.outcomes, TIMEOUT)
    if isinstance(work, StateWork):
        return (*work.signals, *work.events, *(name for name, _ in work.after))
    return None


def _forms(body: AnswersBody, program: Program) -> Iterator[Detail]:
    for name, given in body.outputs.items():
        work = _work(program, name)
        errors: Iterable[tuple[str, str, str]] = ()
        if isinstance(work, TaskWork) and work.form_check is not None:
            errors = work.form_check.errors(given)
        for pointer, code, detail in errors:
            yield Detail(pointer_of("outputs", name[:NAMED]) + pointer, code, detail)


def _work(program: Program, name: str) -> Any:
    node = program.nodes.get(name)
    return None if node is None else node.work
