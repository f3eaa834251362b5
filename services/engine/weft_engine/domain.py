"""Pure decisions at the engine's doors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from weft_language.compilation import Program
from weft_language.model.durations import InvalidDuration, parse_duration
from weft_runtime.errors import Detail, Invalid

from weft_engine.core.quotas import LIVE_GATE, STARTS_GATE, Quotas
from weft_engine.errors import InputInvalid, Refused, WorkflowInactive
from weft_engine.machine import EXECUTION_ENDS


@dataclass(frozen=True, slots=True)
class Gate:
    """What bounds how many executions live, or begin, at once. capacity: 0 for nobody.  on_conflict: `queue`, `skip`, `cancel_running`."""

    name: str
    capacity: int
    on_conflict: str = "queue"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An execution that waits to be admitted through all of its gates.

    begun: it lives, and what waits is a part of it, at the gate of a suspension: each of those is let in for itself.
    """

    execution_id: UUID
    gates: tuple[Gate, ...]
    begun: bool = False


UNBOUNDED: Final = 2**31 - 1
"""The capacity of a gate that lets in everybody."""


def of_today(one: Waiting, quotas: Quotas, room: int, open_: Collection[str]) -> Waiting:
    """Its gates with what the tenant's quotas are now: a changed one holds for who waits, too.

    room: how many the tenant's rate of starts lets begin now.  open_: gates of suspensions that were lifted.
    """
    today = {LIVE_GATE: UNBOUNDED if quotas.live is None else quotas.live, STARTS_GATE: room} | dict.fromkeys(open_, UNBOUNDED)
    return replace(one, gates=tuple(Gate(gate.name, today.get(gate.name, gate.capacity), gate.on_conflict) for gate in one.gates))


@dataclass(slots=True)
class Admission:
    """Who begins, who is skipped because of which live execution, who has to go."""

    admitted: list[UUID] = field(default_factory=list)
    skipped: list[tuple[UUID, UUID]] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)


def admit(waiting: Iterable[Waiting], behind: Mapping[str, Sequence[UUID]]) -> Admission:
    """Let in whom all gates have room for, in the order in which they wait; who finds no room does not hold up the others.

    behind: who lives behind each gate, the oldest first.
    """
    decision = Admission()
    living = {gate: list(holders) for gate, holders in behind.items()}
    for one in waiting:
        full = [gate for gate in one.gates if len(living.setdefault(gate.name, [])) >= gate.capacity]
        if not full:
            decision.admitted.append(one.execution_id)
            for gate in one.gates:
                living[gate.name].append(one.execution_id)
            continue
        first = full[0]
        if first.on_conflict == "skip":
            decision.skipped.append((one.execution_id, living[first.name][0]))
        elif first.on_conflict == "cancel_running":
            going = living[first.name][: len(living[first.name]) - first.capacity + 1]
            decision.cancelled.extend(execution_id for execution_id in going if execution_id not in decision.cancelled)
    return decision


def let_go(held: Iterable[Waiting]) -> dict[tuple[str, ...], list[UUID]]:
    """Which executions that live go on at which of their gates: those that are open, whatever the others are."""
    found: dict[tuple[str, ...], list[UUID]] = {}
    for one in held:
        names = tuple(gate.name for gate in one.gates if gate.capacity > 0)
        if names:
            found.setdefault(names, []).append(one.execution_id)
    return found


def version_to_run(slug: str, status: str, active: int | None, *, wanted: int | None) -> int:
    """The version a new execution runs; whether that was ever published is not known here. Raises: WorkflowInactive."""
    if status != "active" or active is None:
        raise WorkflowInactive(slug, "draft" if active is None and status == "inactive" else status)
    return wanted if wanted is not None else active


def wait_seconds(text: str | None, longest_s: float) -> float:
    """The seconds in `?wait=`, at most `longest_s`; 0 for none. Raises: Invalid for what is no duration."""
    if text is None:
        return 0.0
    try:
        return min(parse_duration(text), longest_s)
    except InvalidDuration as error:
        raise Invalid(str(error), details=[Detail("/wait", "duration", str(error), source="query")]) from error


def check_input(program: Program, input_: Mapping[str, Any]) -> None:
    """Raises: InputInvalid, with pointers, when the input does not fit."""
    errors = program.input.errors(dict(input_))
    if errors:
        raise InputInvalid(program.slug, errors)


def has_ended(status: str) -> bool:
    """Whether nothing can happen to an execution any more."""
    return status in EXECUTION_ENDS


def refusal(status: int, body: Mapping[str, Any]) -> Refused | None:
    """The error that a partition's answer means, None when it is a good answer."""
    if status < 400:
        return None
    more = dict(body.get("body") or {})
    details = [Detail(**error) for error in more.pop("errors", [])]
    return Refused(status, str(body["code"]), str(body["detail"]), more, details)
