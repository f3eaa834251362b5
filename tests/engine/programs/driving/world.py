"""The world around executions: workers, people, other executions, signals, events, time. They do what a script picks of what they could."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from weft_engine.core import items as i
from weft_language import compile_definition
from weft_language.compilation import Program
from weft_language.model import Definition

from tests.engine.programs.driving.admitting import Admitting
from tests.engine.programs.driving.comparing import compare_effects, compare_state
from tests.engine.programs.driving.cored import Cored
from tests.engine.programs.driving.holding_up import HoldingUp
from tests.engine.programs.driving.listening import Listening
from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.driving.working import done_by_worker
from tests.engine.programs.generating.scenarios import MAIN, Scenario
from tests.engine.programs.shadow.execution import Execution
from tests.engine.programs.shadow.fibers import Failed, Wait
from tests.engine.programs.shadow.walking import RUNAWAY

MAIN_ID = UUID("0190a6f0-0000-7000-8000-000000000001")
REPEATED = (
    i.Start, i.Admit, i.Skip, i.Signal, i.DomainEvent, i.CompleteStep, i.FailStep, i.ActivityCompleted, i.ActivityFailed
)  # fmt: skip
"""What the mesh may bring twice."""
ANSWERS = {"delivered": 202, "kept": 202, "repeated": 202, "refused": 409, "unknown": 404, "ended": 409}


@dataclass
class World:
    """Everything of one scenario. now: milliseconds.  log: what happened, to be read when something is wrong."""

    scenario: Scenario
    engine: bool = True
    restart: bool = False
    ties: bool = False
    apart_over: int | None = None
    runaway: int = RUNAWAY
    now: int = 0
    programs: dict[str, Program] = field(default_factory=dict)
    pairs: dict[UUID, Pair] = field(default_factory=dict)
    mail: deque[Mail] = field(default_factory=deque)
    log: list[str] = field(default_factory=list)
    past: list[tuple[Pair, Any]] = field(default_factory=list)
    sent_signals: int = 0
    answered: set[tuple[Any, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """What else there is around executions."""
        self.listening = Listening(lambda: self.now)
        self.admitting = Admitting(lambda: self.now)
        self.holding_up = HoldingUp(lambda: self.now)

    @classmethod
    def of(
        cls, scenario: Scenario, *, engine: bool = True, restart: bool = False, ties: bool = False, id_: UUID = MAIN_ID,
        apart_over: int | None = None, runaway: int = RUNAWAY,
    ) -> World:  # fmt: skip
        """The world before anything has happened.

        engine: False for the shadow alone.  ties: whether alarms may ring at one moment.  apart_over: as of `Cored`.
        runaway: visits without a wait that are too many, in the shadow.
        """
        world = cls(scenario, engine, restart, ties, apart_over, runaway)
        for number, input_ in enumerate([scenario.input, *scenario.more]):
            world.mail.append(world.starting(UUID(int=id_.int + number), MAIN, input_))
        return world

    def starting(self, id_: UUID, slug: str, input_: Any, parent: Pair | None = None, step: tuple[str, int] = ("", 0)) -> Mail:
        """The start of an execution, on its way."""

        def tell(pair: Pair) -> None:
            pair.shadow.start(input_, self.now)

        if id_ not in self.pairs:
            cored = Cored(id_, self._program(slug), restart=self.restart, apart_over=self.apart_over) if self.engine else None
            depth = parent.shadow.leaves.depth + 1 if parent is not None else 0
            shadow = Execution(id_, self.scenario.programs[slug], depth)
            shadow.walk.runaway = self.runaway
            self.pairs[id_] = Pair(id_, slug, shadow, cored, parent, step, len(self.listening.events))
        item = i.Start(id_, slug, input=input_, trigger={"type": "manual"})
        return Mail(id_, "starts", tell, item)

    def _program(self, slug: str) -> Program:
        """The compiled program; that generated documents are valid is a test of its own, so it is not checked each time."""
        if slug not in self.programs:
            self.programs[slug] = compile_definition(Definition.model_validate(self.scenario.programs[slug]), 1)
        return self.programs[slug]

    def happen(self, pair: Pair, say: str, tell: Callable[[Pair], Any], item: Any) -> None:
        """One thing happens to an execution, in the shadow and in the engine, and both must do the same."""
        self.log.append(f"{self.now / 1000:g} s, {pair}: {say}")
        self.holding_up.tell(pair)
        before, was_ended = len(pair.shadow.walk.effects), pair.shadow.ended
        told = tell(pair)
        effects = pair.shadow.walk.effects[before:]
        arrived: list[tuple[str, Any]] = []
        if pair.cored is not None:
            # What was held in a pause happens item by item before the first of them goes on, which may come to another end.
            # What is overdue, because it is left open which of several rings first, would ring where a transition goes on by a tick.
            overdue = any(earliest <= self.now for earliest, _, _ in pair.shadow.alarms())
            seen = pair.cored.give(item, self.now, whole=overdue or isinstance(item, i.Resume))
            compare_effects(effects, seen, pair.known)
            compare_state(pair.shadow, pair.cored)
            if told in ANSWERS:
                assert seen.answer is not None and seen.answer.status == ANSWERS[told], f"the sender hears {told}, got {seen.answer}"
            if was_ended:
                assert not seen.changed, "something happened to an execution that had ended"
            arrived = seen.mail
            self.past.append((pair, item))
        self.admitting.note(pair)
        self._post(pair, [effect for _, effect in effects], arrived, just_ended=pair.shadow.ended and not was_ended)

    def _post(self, pair: Pair, effects: list[Any], arrived: list[tuple[str, Any]], *, just_ended: bool) -> None:
        """Put on its way what executions tell each other. With an engine its own items travel, and each must have one of the shadow."""
        items = {(word, item.execution_id): item for word, item in arrived}
        for effect in effects:
            if effect[0] == "call":
                mail = self._call(pair, effect)
            elif effect[0].startswith("child."):
                mail = self._to_child(pair, effect)
            else:
                if effect[0] == "look out":
                    self.mail += self.listening.look_back(pair, effect[1], effect[2])
                continue
            word = "execution.start" if effect[0] == "call" else effect[0].replace("child.", "execution.")
            self._send(mail, items.pop((word, mail.to), None))
        if just_ended and pair.parent is not None and self._waited_for(pair):
            found = [key for key in items if key[0].startswith("step.")]
            self._send(self._ended(pair), items.pop(found[0]) if found else None)
        assert not items, f"the engine told other executions what the shadow did not: {list(items)}"

    def _send(self, mail: Mail, item: Any) -> None:
        assert item is not None or not self.engine, f"the engine did not tell {mail.to} that it {mail.say}"
        mail.item = item
        self.mail.append(mail)

    def _call(self, pair: Pair, effect: Any) -> Mail:
        _, node, visit, slug, input_ = effect
        return self.starting(uuid5(pair.id, f"call:{node}:{visit}"), slug, input_, pair, (node, visit))

    def _to_child(self, pair: Pair, effect: Any) -> Mail:
        word, node, visit = effect
        child = uuid5(pair.id, f"call:{node}:{visit}")
        verb = word.removeprefix("child.")

        def tell(to: Pair) -> None:
            getattr(to.shadow, verb)(self.now)

        return Mail(child, f"is told to {verb}", tell)

    def _waited_for(self, pair: Pair) -> bool:
        assert pair.parent is not None
        return pair.parent.shadow.walk.layout.nodes[pair.step[0]]["with"].get("wait", True) is not False

    def _ended(self, pair: Pair) -> Mail:
        """The end of a child, on its way to its caller."""
        assert pair.parent is not None
        value: Any = pair.shadow.output
        if pair.shadow.status == "cancelled":
            value = Failed("child_cancelled", pair.step[0], permanent=True)
        elif pair.shadow.error is not None:
            error = pair.shadow.error
            value = Failed(error.code, pair.step[0], message=error.message, permanent=error.permanent)
        answer = partial(_answer, world=self, kind="child", step=(*pair.step, 0), value=value)
        return Mail(pair.parent.id, f"hears that its child {pair.step} is {pair.shadow.status}", answer)

    def deliver(self) -> None:
        """The oldest mail arrives."""
        mail = self.mail.popleft()
        if not self.listening.unclear(mail, self.pairs[mail.to]):
            self._hand_over(mail)

    def _hand_over(self, mail: Mail) -> None:
        to = self.pairs[mail.to].cored
        if to is not None and isinstance(mail.item, (i.CompleteStep, i.FailStep)):
            to.over(mail.item.node, mail.item.visit)
        self.happen(self.pairs[mail.to], mail.say, mail.tell, mail.item)

    def unanswered(self, pair: Pair, kind: str) -> list[Wait]:
        """What waits for somebody who has not yet answered; while paused an answer is held, and nobody answers twice."""
        return [
            wait
            for wait in pair.shadow.waits(kind)
            if (pair.id, wait.node, wait.visit, wait.attempt) not in self.answered
            and not (pair.shadow.status == "paused" and wait.about.get("name") == "dies" and wait.attempt == 1)
        ]

    def answer_activity(self, pair: Pair, wait: Wait) -> None:
        """A worker does what the name of the activity says."""
        place = (wait.node, wait.visit, wait.attempt)
        self.answered.add((pair.id, *place))
        item, value = done_by_worker(pair.id, wait.about["name"], *place)
        tell = partial(_answer, world=self, kind="activity", step=place, value=value)
        self.happen(pair, f"{wait.node}#{wait.visit} attempt {wait.attempt} {value[0]}", tell, item)

    def answer_task(self, pair: Pair, wait: Wait, outcome: str | None) -> None:
        """A person decides; no outcome: the task fails."""
        self.answered.add((pair.id, wait.node, wait.visit, wait.attempt))
        if pair.cored is not None:
            pair.cored.over(wait.node, wait.visit)
        if outcome is None:
            error = {"code": "task_broken", "message": "broken", "permanent": wait.visit > 2}
            item: Any = i.FailStep(pair.id, wait.node, wait.visit, error)
            value: Any = Failed("task_broken", wait.node, permanent=wait.visit > 2)
        else:
            output = {"outcome": outcome, "form": {"v": wait.visit}}
            item, value = i.CompleteStep(pair.id, wait.node, wait.visit, outcome, output), (outcome, output)
        tell = partial(_answer, world=self, kind="task", step=(wait.node, wait.visit, 0), value=value)
        self.happen(pair, f"{wait.node}#{wait.visit} is decided: {outcome}", tell, item)

    def send_signal(self, pair: Pair, name: str, number: int) -> None:
        """Somebody sends a signal."""
        self.sent_signals += 1
        id_, payload = f"s{self.sent_signals}", {"n": number}
        item = i.Signal(pair.id, id_, name, payload)
        self.happen(pair, f"signal {name} {payload}", lambda to: to.shadow.signal(id_, name, payload, self.now), item)

    def publish(self, type_: str, data: dict[str, Any]) -> None:
        """Something happens outside. Whoever looks out for it will hear of it."""
        self.log.append(f"{self.now / 1000:g} s: event {type_} {data}")
        self.mail += self.listening.publish(type_, data, [pair for pair in self.pairs.values() if pair.live])

    def look_at_gates(self) -> None:
        """The gatekeeper lets in whom the gates have room for."""
        self.mail += self.admitting.look(self.pairs)

    def hold_up(self, type_: str) -> None:
        """Nodes of a type are held up."""
        self.log.append(f"{self.now / 1000:g} s: nodes of type {type_} are held up")
        self.holding_up.hold_up(type_)

    def lift(self, type_: str) -> None:
        """They are held up no more."""
        self.log.append(f"{self.now / 1000:g} s: nodes of type {type_} go on")
        for mail in list(self.holding_up.lift(type_, self.pairs.values())):
            self._hand_over(mail)

    def tell_person(self, pair: Pair, verb: str) -> None:
        """Somebody cancels, pauses or resumes an execution."""
        item = {"cancel": i.Cancel, "pause": getattr(i, "Pause", None), "resume": getattr(i, "Resume", None)}[verb]
        made = item(pair.id) if item is not None else None
        self.happen(pair, verb, lambda to: getattr(to.shadow, verb)(self.now), made)

    def tick(self, pair: Pair, last: int = 0) -> None:
        """The next alarm of an execution rings, and not a moment before it is due. last: how many more are over when it is looked at."""
        alarms = pair.shadow.alarms()
        earliest = alarms[0][0]
        if earliest - 1 > self.now and not self.ties:
            self.now = earliest - 1
            self.happen(pair, "time: nothing is due", lambda to: to.shadow.tick(self.now), i.Tick(pair.id))
        self.now = max(self.now, alarms[last][1])
        due = [alarm for alarm in alarms if alarm[0] <= self.now]
        say = ", ".join("max_duration" if wait is None else f"{wait.kind} {wait.node}#{wait.visit}" for _, _, wait in due)
        self.happen(pair, f"time: {say}", lambda to: to.shadow.tick(self.now), i.Tick(pair.id))

    def repeat(self, number: int) -> None:
        """Something that came before comes again, late; it changes nothing."""
        pair, item = self.past[number % len(self.past)]
        if isinstance(item, REPEATED) and pair.cored:
            undoing = getattr(item, "node", "").endswith(".compensate")  # One that was interrupted is asked for anew, as the same attempt.
            untaken = isinstance(item, i.DomainEvent) and item.event_id not in pair.shadow.seen  # It may be what is waited for by now.
            at_gate = isinstance(item, i.Admit) and pair.shadow.waits("gate")
            if pair.shadow.status != "paused" and not (undoing or untaken or at_gate):
                self.log.append(f"{self.now / 1000:g} s, {pair}: again, late: {item}")
                self.holding_up.tell(pair)
                assert not pair.cored.give(item, self.now).changed, "an item that came again, late, changed something"


def _answer(pair: Pair, *, world: World, kind: str, step: tuple[Any, ...], value: Any) -> None:
    node, visit, attempt = step
    pair.shadow.answer(kind, node, visit, attempt, world.now, value)
