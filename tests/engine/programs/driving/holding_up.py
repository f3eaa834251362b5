"""What is held up: types of nodes, connections, workflows, the tenant. What is lifted goes on where it stood.

That something is held up, or is no more, is heard of at once or later: until then all goes on as was believed before, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from weft_engine import domain
from weft_engine.core import items as i

from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.shadow.around import Around
from tests.engine.programs.shadow.gates import SUSPENDED

JOB = "ops"
"""Who pauses and resumes what lives in a workflow or tenant that is suspended."""
PAUSED_BY_JOB = ("tenant", "workflow")
OPEN = 1


@dataclass
class HoldingUp:
    """now: of the world.  suspended: what is, as of `Around`, each with the name of its gate, which is another each time.

    paused: whom the job of each suspension has paused.  told: who was told to go on at a gate, until it has heard of it.
    """

    now: Callable[[], int]
    around: Around
    suspended: dict[str, str] = field(default_factory=dict)
    paused: dict[str, list[UUID]] = field(default_factory=dict)
    told: set[tuple[UUID, str]] = field(default_factory=set)
    begun: int = 0

    @property
    def believed(self) -> bool:
        """Whether something is believed to be held up that is not."""
        return self.around.held_up != self.suspended

    def hold_up(self, what: str, pairs: Iterable[Pair]) -> Iterator[Mail]:
        """Nobody enters a node of a type, asks by a connection, or begins any more; who lives in what is suspended as a whole is paused."""
        self.begun += 1
        self.suspended[what] = self.around.held_up[what] = f"{SUSPENDED}{self.begun}"
        kind, _, name = what.partition(":")
        if kind not in PAUSED_BY_JOB:
            return
        self.paused[what] = []
        for pair in pairs:
            if pair.shadow.status in ("live", "queued") and name in ("", pair.slug):
                yield Mail(pair.id, "is paused by a job", partial(self._pause, what=what), i.Pause(pair.id, user=JOB))

    def _pause(self, pair: Pair, *, what: str) -> None:
        if pair.shadow.status in ("live", "queued"):
            self.paused.setdefault(what, []).append(pair.id)
        pair.shadow.pause(self.now(), JOB)

    def lift(self, what: str) -> Iterator[Mail]:
        """It is held up no more. Whom its job has paused it resumes."""
        self.suspended.pop(what)
        for id_ in self.paused.pop(what, ()):
            yield Mail(id_, "is resumed by a job", lambda pair: pair.shadow.resume(self.now(), JOB), i.Resume(id_, user=JOB))

    def hear(self) -> None:
        """What is held up now is what is believed to be."""
        self.around.held_up = dict(self.suspended)

    def let_go(self, pairs: Iterable[Pair]) -> Iterator[Mail]:
        """Who lives goes on at each gate that is open, whatever others hold up. The engine's gatekeeper must come to the same."""
        for pair in pairs:
            names = self._to_go(pair)
            if not names:
                continue
            if pair.cored is not None:
                gates = sorted({pending.gate for pending in pair.cored.state.pending.values() if pending.gate is not None})
                closed = set(self.suspended.values())
                held = domain.Waiting(pair.id, tuple(domain.Gate(gate, 0 if gate in closed else OPEN) for gate in gates), begun=True)
                found = {name for at in domain.let_go([held]) for name in at} - {gate for id_, gate in self.told if id_ == pair.id}
                assert found == set(names), f"{pair} should go on at {names}, got {found}"
            self.told |= {(pair.id, name) for name in names}
            yield Mail(pair.id, "is let in", partial(self._admit, names=names), i.Admit(pair.id, names))

    def can_go(self, pairs: Iterable[Pair]) -> bool:
        """Whether somebody waits at an open gate and was not told."""
        return any(self._to_go(pair) for pair in pairs)

    def _to_go(self, pair: Pair) -> list[str]:
        gates = {wait.about["gate"] for wait in pair.shadow.waits("gate")} - set(self.suspended.values())
        return sorted(gate for gate in gates if (pair.id, gate) not in self.told)

    def _admit(self, pair: Pair, *, names: list[str]) -> None:
        pair.shadow.admit(self.now(), names)

    def heard(self, pair: Pair) -> None:
        """What an execution was told while it was paused it has heard of once it goes on."""
        if pair.shadow.status != "paused":
            at = {wait.about["gate"] for wait in pair.shadow.waits("gate")}
            self.told = {(id_, gate) for id_, gate in self.told if id_ != pair.id or gate in at}
