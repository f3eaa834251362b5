"""The world around executions: workers, people, other executions, signals, events, time. They do what a script picks of what they could."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from weft_engine.core import items as i
from weft_language import compile_definition
from weft_language.compilation import Program
from weft_language.model import Definition

from tests.engine.programs.driving import ordering, relatives
from tests.engine.programs.driving.admitting import Admitting
from tests.engine.programs.driving.comparing import compare_effects, compare_state
from tests.engine.programs.driving.cored import Cored
from tests.engine.programs.driving.holding_up import HoldingUp
from tests.engine.programs.driving.listening import Listening
from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.generating.scenarios import MAIN, Scenario
from tests.engine.programs.shadow.around import Around
from tests.engine.programs.shadow.execution import Execution
from tests.engine.programs.shadow.gates import Gatekeeper
from tests.engine.programs.shadow.keys import SKIPPED, Keys
from tests.engine.programs.shadow.walking import RUNAWAY

MAIN_ID = UUID("0190a6f0-0000-7000-8000-000000000001")
REPEATED = (
    i.Start, i.Admit, i.Skip, i.Signal, i.DomainEvent, i.CompleteStep, i.FailStep, i.ActivityCompleted, i.ActivityFailed
)  # fmt: skip
"""What the mesh may bring twice."""
PERSON = "ann"
EARLY_MS = 3
"""So long before a rate of starts lets the next one begin it does not; a millisecond before, the engine may round."""
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
    around: Around = field(default_factory=Around)
    now: int = 0
    programs: dict[str, Program] = field(default_factory=dict)
    pairs: dict[UUID, Pair] = field(default_factory=dict)
    mail: deque[Mail] = field(default_factory=deque)
    log: list[str] = field(default_factory=list)
    past: list[tuple[Pair, Any]] = field(default_factory=list)
    sent_signals: int = 0
    answered: set[tuple[Any, ...]] = field(default_factory=set)
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What else there is around executions."""
        self.listening = Listening(lambda: self.now)
        self.around.tier = self.scenario.tier
        self.around.live, self.around.per_s, self.around.burst = self.scenario.quotas
        self.admitting = Admitting(lambda: self.now, Gatekeeper(self.around), self.settings)
        self.holding_up = HoldingUp(lambda: self.now, self.around)
        self.keys = Keys()

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
        for number, payload in enumerate(scenario.orders):
            world.order(number, payload)
        return world

    def order(self, number: int, payload: dict[str, Any]) -> None:
        """Something happens that starts executions."""
        self.orders[number] = payload
        self.log.append(f"{self.now / 1000:g} s: order {number} is placed: {payload}")
        mail = ordering.order(self, number, payload)
        self.mail += [mail] if mail is not None else []

    def starting(self, id_: UUID, slug: str, input_: Any, parent: Pair | None = None, step: tuple[str, int] = ("", 0)) -> Mail:
        """The start of an execution, on its way."""

        def tell(pair: Pair) -> None:
            pair.shadow.start(input_, self.now)

        if id_ not in self.pairs:
            cored = Cored(id_, self.program(slug), restart=self.restart, apart_over=self.apart_over) if self.engine else None
            pair = self.pairs[id_] = Pair(id_, slug, cored, parent, step, len(self.listening.events))
            depth = parent.shadow.leaves.depth + 1 if parent is not None else 0
            waited_for = parent is not None and relatives.is_waited_for(pair)
            pair.shadow = Execution(id_, self.scenario.programs[slug], depth, self.around, waited_for=waited_for)
            pair.shadow.walk.runaway = self.runaway
        item = i.Start(id_, slug, input=input_, trigger={"type": "manual"})
        return Mail(id_, "starts", tell, item)

    def settings(self) -> dict[str, Any]:
        """The tenant's settings, as the engine has them."""
        around = self.around
        starts = {"starts_per_s": around.per_s, "starts_burst": around.burst} if around.per_s else {}
        quotas = {**({"live_executions": around.live} if around.live is not None else {}), **starts}
        return {"quotas": quotas} if quotas else {}

    def program(self, slug: str) -> Program:
        """The compiled program; that generated documents are valid is a test of its own, so it is not checked each time."""
        if slug not in self.programs:
            self.programs[slug] = compile_definition(Definition.model_validate(self.scenario.programs[slug]), 1)
        return self.programs[slug]

    def happen(self, pair: Pair, say: str, tell: Callable[[Pair], Any], item: Any) -> None:
        """One thing happens to an execution, in the shadow and in the engine, and both must do the same."""
        self.log.append(f"{self.now / 1000:g} s, {pair}: {say}")
        if pair.cored is not None:
            pair.cored.suspended = dict(self.around.held_up)
            pair.cored.tenant = {"id": "acme", "tier": self.around.tier, "settings": self.settings()}
        before, was_ended = len(pair.shadow.walk.effects), pair.shadow.ended
        told = tell(pair)
        effects = pair.shadow.walk.effects[before:]
        arrived: list[tuple[str, Any]] = []
        if pair.cored is not None:
            # What was held in a pause happens item by item before the first of them goes on, which may come to another end.
            # What is overdue, because it is left open which of several rings first, would ring where a transition goes on by a tick.
            overdue = any(earliest <= self.now for earliest, _, _ in pair.shadow.alarms())
            if told == SKIPPED:
                seen = pair.cored.refuse(item, self.keys.holder(pair.slug, item.key), self.now)
            else:
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
        self.holding_up.heard(pair)
        self._give_back_key(pair)
        self._post(pair, [effect for _, effect in effects], arrived, just_ended=pair.shadow.ended and not was_ended)

    def _post(self, pair: Pair, effects: list[Any], arrived: list[tuple[str, Any]], *, just_ended: bool) -> None:
        """Put on its way what executions tell each other. With an engine its own items travel, and each must have one of the shadow."""
        items = {(word, item.execution_id): item for word, item in arrived}
        for effect in effects:
            if effect[0] == "call":
                mail = relatives.call(self, pair, effect)
            elif effect[0].startswith("child."):
                mail = relatives.to_child(self, pair, effect)
            else:
                if effect[0] == "look out":
                    self.mail += self.listening.look_back(pair, effect[1], effect[2])
                continue
            word = "execution.start" if effect[0] == "call" else effect[0].replace("child.", "execution.")
            self._send(mail, items.pop((word, mail.to), None))
        if just_ended and pair.parent is not None and relatives.is_waited_for(pair):
            found = [key for key in items if key[0].startswith("step.")]
            self._send(relatives.ended(self, pair), items.pop(found[0]) if found else None)
        assert not items, f"the engine told other executions what the shadow did not: {list(items)}"

    def _send(self, mail: Mail, item: Any) -> None:
        assert item is not None or not self.engine, f"the engine did not tell {mail.to} that it {mail.say}"
        mail.item = item
        self.mail.append(mail)

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

    def _give_back_key(self, pair: Pair) -> None:
        """Who has ended holds its key no more; the engine takes it from what the journal says of it."""
        if pair.shadow.ended:
            self.keys.leave(pair.id)
        if pair.cored is not None:
            held = self.keys.held_by(pair.id)
            assert pair.cored.state.ended or held is None or pair.cored.state.key == held, (
                f"it holds the key {held}, got {pair.cored.state.key}"
            )

    def look_at_gates(self) -> None:
        """The gatekeeper lets in whom the gates have room for."""
        self.mail += self.admitting.look(self.pairs)

    def wait_for_rate(self, at: int) -> None:
        """Time passes until the tenant's rate of starts lets the next one begin."""
        if at - EARLY_MS > self.now:
            self.now = at - EARLY_MS
            self.look_at_gates()  # and not before
        self.now = at

    def change_quotas(self, number: int) -> None:
        """The tenant's quotas are changed: whoever waits stands under the new ones."""
        if self.around.live is not None:
            self.around.live = 1 + number % 3
        self.log.append(f"{self.now / 1000:g} s: quotas are {self.settings()}")

    def hold_up(self, what: str) -> None:
        """Something is suspended."""
        self.log.append(f"{self.now / 1000:g} s: {what} is held up")
        self.mail += self.holding_up.hold_up(what, self.pairs.values())
        self.admitting.keeper.closed = set(self.holding_up.suspended.values())

    def lift(self, what: str) -> None:
        """It is suspended no more."""
        self.log.append(f"{self.now / 1000:g} s: {what} goes on")
        self.mail += self.holding_up.lift(what)
        self.admitting.keeper.closed = set(self.holding_up.suspended.values())

    def hear(self) -> None:
        """Everybody has heard of what is held up, and of what is no more."""
        self.log.append(f"{self.now / 1000:g} s: held up are {list(self.holding_up.suspended)}")
        self.holding_up.hear()

    def let_go(self) -> None:
        """Who waits at an open gate goes on."""
        self.mail += self.holding_up.let_go(self.pairs.values())

    def tell_person(self, pair: Pair, verb: str) -> None:
        """Somebody cancels, pauses or resumes an execution."""
        item = {"cancel": i.Cancel, "pause": i.Pause, "resume": i.Resume}[verb](pair.id, user=PERSON)
        by = () if verb == "cancel" else (PERSON,)
        self.happen(pair, verb, lambda to: getattr(to.shadow, verb)(self.now, *by), item)

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
            at_gate = isinstance(item, i.Admit) and (pair.shadow.waits("gate") or pair.shadow.status == "queued")
            if pair.shadow.status != "paused" and not (undoing or untaken or at_gate):
                self.log.append(f"{self.now / 1000:g} s, {pair}: again, late: {item}")
                assert not pair.cored.give(item, self.now).changed, "an item that came again, late, changed something"
