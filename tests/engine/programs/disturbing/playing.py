"""A world without a shadow: the core alone, with what disturbs it picked at random. What it does must be as predicted."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from weft_engine.core import items as i

from tests.engine.programs.disturbing.moving import Moving
from tests.engine.programs.disturbing.renaming import KEPT, Versions, plain
from tests.engine.programs.driving.cored import Seen
from tests.engine.programs.driving.working import done_by_worker
from tests.engine.programs.generating.maker import Document
from tests.engine.programs.times import START

HOUR = 3_600_000
LONGEST = 3_000
"""Things that happen to a program, at most."""
DISTURBING = 260
"""Of these so many from the beginning on may be what disturbs it; then it is left alone, so that it ends."""
AGAIN = (i.Start, i.CompleteStep, i.FailStep, i.ActivityCompleted, i.ActivityFailed)
"""What the mesh may bring twice."""
Request = tuple[str, int, int, str]


@dataclass
class One:
    """An execution. requests: asked of workers and not answered.  asked, visits, events: all that it did, by the first version's names.

    held: visits that were held up, and ended with that.
    """

    moving: Moving
    requests: list[Request] = field(default_factory=list)
    asked: set[tuple[str, int]] = field(default_factory=set)
    visits: set[tuple[str, int]] = field(default_factory=set)
    held: set[tuple[str, int]] = field(default_factory=set)
    events: set[tuple[str, int]] = field(default_factory=set)


class Disturbed:
    """Everything around the executions of one program. log: what happened."""

    def __init__(self, rng: random.Random, documents: dict[str, Document], *, restart: bool) -> None:
        self._rng, self._restart = rng, restart
        self._versions = {slug: Versions(document) for slug, document in documents.items()}
        self.now = 0
        self.all: dict[UUID, One] = {}
        self.log: list[str] = []
        self._mail: dict[UUID, deque[Any]] = {}
        self._past: list[Any] = []
        self._suspended: dict[str, str] = {}
        self._gates = 0
        self._by_job: list[tuple[str, UUID]] = []

    def play(self, id_: UUID, slug: str, input_: Document) -> None:
        """Let it happen until everything has ended. Raises: AssertionError when it goes on for ever, or the core does what it may not."""
        self._mail[id_] = deque([i.Start(id_, slug, input=input_, trigger={"type": "manual"})])
        for step in range(LONGEST):
            if step >= DISTURBING and step % 20 == 0:
                self._calm()
            forward, disturbing = self._forward(), self._disturbing() if step < DISTURBING else []
            if not forward:
                assert all(one.moving.state.ended for one in self.all.values()), "nothing brings it forward any more"
                return
            chosen = disturbing if disturbing and self._rng.random() < 0.35 else forward
            self._rng.choice(chosen)()
        raise AssertionError("it goes on for ever")

    def _calm(self) -> None:
        """Take back what holds anything up."""
        for what in list(self._suspended):
            self._lift(what)
        for one in self._paused():
            self._give(one.id, i.Resume(one.id, user="ann"))

    def _paused(self) -> list[Moving]:
        return [one.moving for one in self.all.values() if one.moving.state.paused is not None and not one.moving.state.ended]

    def _forward(self) -> list[Callable[[], None]]:
        found: list[Callable[[], None]] = [self._deliver(to) for to, mail in self._mail.items() if mail]
        for id_, one in self.all.items():
            state = one.moving.state
            found += [self._answer(id_, request) for request in one.requests]
            if state.wake_at is not None:
                found.append(self._tick(id_))
        if not found:
            found += [lambda what=what: self._lift(what) for what in self._suspended]  # type: ignore[misc]
            found += [self._tell(one.id, i.Resume(one.id, user="ann")) for one in self._paused()]
        return found

    def _disturbing(self) -> list[Callable[[], None]]:
        found: list[Callable[[], None]] = []
        live = [one.moving for one in self.all.values() if not one.moving.state.ended and one.moving.state.started_at is not None]
        for moving in live:
            found += [self._migrate(moving, go_back=go_back) for go_back in (False, True)]
            if moving.state.paused is None:
                found.append(self._tell(moving.id, i.Pause(moving.id, user="ann")))
            else:
                found += 2 * [self._tell(moving.id, i.Resume(moving.id, user="ann"))]
        nodes = [node for moving in live for node in moving.program.nodes.values()]
        whole = {what for moving in live for what in ("tenant", f"workflow:{moving.program.slug}")}
        connections = {f"connection:{connection}" for node in nodes if (connection := getattr(node.work, "connection", None)) is not None}
        what = (whole | connections | {f"node_type:{node.type}" for node in nodes if node.type not in KEPT}) - self._suspended.keys()
        if what and len(self._suspended) < 3:
            found.append(lambda: self._suspend(self._rng.choice(sorted(what))))
        found += [lambda what=what: self._lift(what) for what in self._suspended]  # type: ignore[misc]
        if self._past:
            found.append(self._again)
        return found

    def _deliver(self, to: UUID) -> Callable[[], None]:
        def deliver() -> None:
            item = self._mail[to].popleft()
            if isinstance(item, i.Start) and to not in self.all:
                self.all[to] = One(Moving(to, self._versions[item.workflow], restart=self._restart))
            self._give(to, item)

        return deliver

    def _answer(self, to: UUID, request: Request) -> Callable[[], None]:
        def answer() -> None:
            node, visit, attempt, name = request
            self.all[to].requests.remove(request)
            item, _ = done_by_worker(to, name, node, visit, attempt)
            if isinstance(item, i.ActivityCompleted):
                item = i.ActivityCompleted(to, node, visit, attempt, item.outcome, {"v": f"{plain(node)}#{visit}"})
            self._give(to, item)

        return answer

    def _tick(self, to: UUID) -> Callable[[], None]:
        def tick() -> None:
            wake_at = self.all[to].moving.state.wake_at
            assert wake_at is not None
            due = -(-(wake_at - START).total_seconds() * 1_000 // 1)
            self.now = max(self.now, int(due)) + self._rng.choice((0, 0, 0, 1, HOUR))
            self._give(to, i.Tick(to))

        return tick

    def _tell(self, to: UUID, item: Any) -> Callable[[], None]:
        return lambda: self._give(to, item)

    def _again(self) -> None:
        to, item = self._rng.choice(self._past)
        undone = getattr(item, "node", "").endswith(".compensate")  # One that was interrupted is asked for anew, as the same attempt.
        if not undone and self.all[to].moving.state.paused is None:
            self._give(to, item)

    def _suspend(self, what: str) -> None:
        """What lives in a workflow or tenant that is suspended is paused by a job, which tells one after another."""
        self._gates += 1
        self._suspended[what] = f"suspended:{self._gates}"
        self.log.append(f"{what} is held up")
        for id_, one in self.all.items():
            state = one.moving.state
            if what in ("tenant", f"workflow:{state.workflow}") and state.paused is None and not state.ended:
                self._by_job.append((what, id_))
                self._mail.setdefault(id_, deque()).append(i.Pause(id_, user="ops"))

    def _lift(self, what: str) -> None:
        """Whoever waits at its gate goes on or begins, and whom its job has paused is resumed."""
        gate = self._suspended.pop(what, None)
        if gate is None:
            return
        self.log.append(f"{what} goes on")
        for id_, one in self.all.items():
            state, mail = one.moving.state, self._mail.setdefault(id_, deque())
            if any(pending.gate == gate for pending in state.pending.values()):
                mail.append(i.Admit(id_, [gate]))
            if state.begun is not None and not {one["name"] for one in state.begun["gates"]} & set(self._suspended.values()):
                mail.append(i.Admit(id_))
            if (what, id_) in self._by_job:
                mail.append(i.Resume(id_, user="ops"))
        self._by_job = [(by, id_) for by, id_ in self._by_job if by != what]

    def _migrate(self, moving: Moving, *, go_back: bool) -> Callable[[], None]:
        def move() -> None:
            self.now += 1
            self.log.append(f"{moving.id}: {'back from' if go_back else 'on from'} version {moving.state.version}")
            self._hold_up(moving)
            self._note(moving.id, moving.back(self.now) if go_back else moving.on(self.now))

        return move

    def _hold_up(self, moving: Moving) -> None:
        moving.cored.suspended = dict(self._suspended)

    def _give(self, to: UUID, item: Any) -> None:
        self.now += 1
        self.log.append(f"{self.now} {to}: {item}")
        moving = self.all[to].moving
        self._hold_up(moving)
        seen = moving.cored.step(item, self.now)
        if isinstance(item, AGAIN):
            self._past.append((to, item))
        self._note(to, seen)

    def _note(self, id_: UUID, seen: Seen) -> None:
        """What an execution did."""
        one = self.all[id_]
        one.visits |= {(plain(node), visit) for _, node, visit in seen.visits}
        one.held |= {(plain(pending.node), pending.visit) for pending in one.moving.state.pending.values() if pending.kind == "suspended"}
        for effect in seen.says:
            if effect[0] == "activity":
                _, node, visit, attempt, name, asked = effect
                behaviour = asked["url"][1:] if name == "http.request" else name
                one.requests.append((node, visit, attempt, behaviour))
                one.asked.add((plain(node), visit))
            elif effect[0] == "publish":
                assert effect[1:3] not in one.events, f"event {effect} was published twice"
                one.events.add((plain(effect[1]), effect[2]))
        for _, item in seen.mail:
            self._mail.setdefault(item.execution_id, deque()).append(item)


def outcome(one: One) -> str:
    """How an execution ended, as predictions tell it."""
    state, cored = one.moving.state, one.moving.cored
    code = state.error["code"] if state.error else None
    output = cored.value(state.output) if state.status == "completed" else None
    return json.dumps([state.status, output, code], sort_keys=True)
