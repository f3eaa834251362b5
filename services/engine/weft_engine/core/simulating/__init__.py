"""Simulating: an execution as it would go, with no outside: its answers are given, its waits are skipped on a clock of its own.

It is the engine's own core that decides, so what is shown is what would happen. Nothing is asked, said or kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from weft_language.compilation import Program
from weft_language.expressions import STEPS as EXPRESSION_STEPS
from weft_language.expressions import Meter
from weft_language.findings import Finding

from weft_engine.core import items as i
from weft_engine.core.apply import advance
from weft_engine.core.context import Context
from weft_engine.core.enhancing import KIND as ENHANCING
from weft_engine.core.entries import Row
from weft_engine.core.simulating.answers import ASKED, Answer, Answers, answers_of, named
from weft_engine.core.state import Pending, Place, State

__all__ = ["MOST_ENTRIES", "MOST_STEPS", "TIMEOUT", "Answer", "Answers", "Simulation", "answers_of", "begin", "go_on"]

MOST_ENTRIES: Final = 5_000
"""Entries that a simulation writes before it is cut short."""
MOST_STEPS: Final = 10 * EXPRESSION_STEPS
"""Steps that its expressions may take together, about half a second."""

TIMEOUT: Final = "timeout"
"""The outcome of a task that nobody decided in time, as its ladder may say."""


@dataclass(slots=True)
class Simulation:
    """An execution as it would go. rows: its journal.  now: its own clock.  findings: what one should know of it."""

    state: State
    program: Program
    context: Context
    answers: Answers
    now: datetime
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _met: set[str] = field(default_factory=set)
    _refused: set[Place] = field(default_factory=set)

    def do(self, item: i.Happening) -> tuple[bool, str | None]:
        """Let something happen to it now. Returns: whether anything came of it, and why it was refused, where it was."""
        position = self.state.position
        transition = advance(self.state, item, self.now, self.program, self.context)
        if transition.entries:
            self.rows.append(Row(position, self.now, transition.entries))
        return bool(transition.entries), None if transition.answer is None else transition.answer.detail

    def run(self) -> None:
        """Let the outside answer and time pass, until it ends or rests for good."""
        first = self.state.position
        with Meter() as meter:
            while not self.state.ended:
                if self.state.position - first > MOST_ENTRIES or meter.spent > MOST_STEPS:
                    self._cut_short()
                    return
                if not (self._let_in() or self._answer() or self._pass_time()):
                    break
        for node in sorted(self.answers.named - self._met):
            self._find("info", "answer_unused", node, f"nothing was asked of {node}, so what is said of it was not needed")

    def _let_in(self) -> bool:
        """Gates do not hold up a simulation: how many others live is not told by a definition."""
        state = self.state
        gates = [pending.gate for pending in state.pending.values() if pending.gate is not None]
        if state.paused is not None:
            self.do(i.Resume(state.id))
        elif state.begun is not None:
            self.do(i.Admit(state.id))
        elif gates:
            self.do(i.Admit(state.id, gates))
        else:
            return False
        return True

    def _answer(self) -> bool:
        for pending in list(self.state.pending.values()):
            if pending.kind not in ASKED or pending.place in self._refused:
                continue
            answer = self.answers.to(pending, self.program.nodes.get(pending.node))
            if answer is None or (pending.kind == "signal" and _by_time(pending, answer)):
                continue
            self._met.add(named(pending))
            if answer.assumed:
                self._assume(pending)
            was = pending.kind
            changed, refusal = self.do(self._item(pending, answer))
            if changed and not (was == "signal" and pending.place in self.state.pending):
                return True
            self._refused.add(pending.place)
            said = refusal or f"{pending.node} does not take this as {answer.outcome or 'an answer'!r}"
            self._find("warning", "answer_refused", pending.node, said, "say what it takes in `outcomes` and `outputs`")
        return False

    def _item(self, pending: Pending, answer: Answer) -> i.Happening:
        id_, (node, visit) = self.state.id, pending.data.get("asked_as", pending.place)
        if pending.kind == "signal":
            return self._arrival(pending, answer)
        if answer.error is not None:
            error = {"permanent": False, "details": {}, **answer.error, "node": node, "attempt": pending.attempt}
            if pending.kind in ("activity", ENHANCING):
                return i.ActivityFailed(id_, node, visit, pending.attempt, error)
            return i.FailStep(id_, node, visit, error)
        if pending.kind in ("activity", ENHANCING):
            return i.ActivityCompleted(id_, node, visit, pending.attempt, answer.outcome or "done", answer.output)
        if pending.kind == "task" and answer.outcome == TIMEOUT:
            return i.FailStep(id_, node, visit, {"code": TIMEOUT, "message": f"{node} was not decided in time", "permanent": True})
        if pending.kind == "task":
            return i.CompleteStep(id_, node, visit, *self._decision(pending, answer))
        return i.CompleteStep(id_, node, visit, answer.outcome or "done", answer.output)

    def _decision(self, pending: Pending, answer: Answer) -> tuple[str, Any]:
        """What a task ends with. What is given is the form, unless it is what a task gave before."""
        outcome = answer.outcome or pending.data["task"]["outcomes"][0]
        if isinstance(answer.output, dict) and answer.output.keys() >= {"outcome", "form"}:
            return outcome, {**answer.output, "outcome": outcome}
        form = answer.output if answer.output is not None else {}
        return outcome, {"outcome": outcome, "form": form, "completed_by": None, "completed_at": self.now.isoformat()}

    def _arrival(self, pending: Pending, answer: Answer) -> i.Happening:
        name = answer.outcome or next(iter((*pending.data["signals"], *(one["name"] for one in pending.data.get("events", ())))), "")
        id_ = f"simulated:{pending.node}:{pending.visit}"
        wait = next((one for one in pending.data.get("events", ()) if one["name"] == name), None)
        if wait is None:
            # Whoever simulates is taken to send what nobody else did.
            return i.Signal(self.state.id, id_, name, answer.output, answer.user or self.state.trigger.get("user"))
        kind = wait["pattern"].replace("*", "x").replace("?", "x")
        event = answer.event or {"id": id_, "source": "simulation", "type": kind, "time": self.now.isoformat()}
        return i.DomainEvent(self.state.id, id_, name, {**event, "data": answer.output})

    def _pass_time(self) -> bool:
        """Skip to the next moment that a node waits for. The ends of `sla` and `max_duration` alone are not waited for."""
        state = self.state
        if not state.ready and all(pending.wake_at is None for pending in state.pending.values()):
            return False
        self.now = max(self.now, state.wake_at or self.now)
        self.do(i.Tick(state.id))
        return True

    def _assume(self, pending: Pending) -> None:
        name = named(pending)
        if not any(finding.code == "answer_assumed" and finding.node == name for finding in self.findings):
            taken = f"the own work of {pending.node} stands" if pending.kind == ENHANCING else "the plainest answer was taken"
            self._find(
                "info", "answer_assumed", name, f"nobody says what {name} gives, so {taken}", f"say it in `outputs` or `errors` of {name}"
            )

    def _cut_short(self) -> None:
        message = f"the simulation was cut short after {len(self.rows)} transitions: it goes on for longer than is shown"
        self._find("warning", "simulation_cut_short", None, message, "let loops and lists of the simulation be shorter")

    def _find(self, severity: Any, code: str, node: str | None, message: str, fix: str | None = None) -> None:
        self.findings.append(Finding(severity, code, "", message, node, fix))


def _by_time(pending: Pending, answer: Answer) -> bool:
    """Whether a `state` is left by time alone, so that nothing is brought to it."""
    return answer.error is not None or answer.outcome in [name for name, _ in pending.data["after"]]


def begin(start: i.Start, tenant: str, now: datetime, program: Program, context: Context, answers: Answers) -> Simulation:
    """An execution from its start. start: what begins it, with its input."""
    made = Simulation(State(start.execution_id, tenant, program.slug, program.version), program, context, answers, now)
    made.do(start)
    made.run()
    return made


def go_on(state: State, rows: Sequence[Row], program: Program, context: Context, answers: Answers) -> Simulation:
    """An execution from where it stood after a part of its journal. state: the fold of `rows`, which is changed in place."""
    made = Simulation(state, program, context, answers, rows[-1].at, list(rows))
    made.run()
    return made
