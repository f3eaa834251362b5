"""Playing a script: at each step what could happen is listed, and the script's next bytes pick one and let some time pass."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from tests.engine.programs.driving.answering import answer_activity, answer_enhancement, answer_task, expire_task, unanswered
from tests.engine.programs.driving.parts import Choice, Pair
from tests.engine.programs.driving.world import World

STEPS = 90
"""How much happens to a scenario before it is cancelled."""
MOST_HELD_UP = 3
MOST_PAIRS = 12
RARE_FROM = 176
"""Bytes from here on pick among what does not bring an execution forward: signals early, repeats, pauses, cancelling."""


class Script:
    """The bytes of a script; 0 for ever after."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def next(self) -> int:
        """The next choice, 0..255."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    @property
    def over(self) -> bool:
        """Whether all that comes is 0."""
        return self._at >= len(self._data)


def play(world: World) -> World:
    """Let everything happen until all executions have ended. What is wrong is said with all that happened before."""
    script = Script(world.scenario.script)
    try:
        for _ in range(STEPS):
            if not _step(world, script):
                break
        _finish(world)
        for pair in world.pairs.values():
            if pair.cored is not None and pair.shadow.status != "new":
                pair.cored.check_outbox()
    except (AssertionError, LookupError, ValueError, TypeError) as error:
        error.add_note("what happened:\n  " + "\n  ".join(world.log))
        raise
    return world


def _step(world: World, script: Script) -> bool:
    choice = script.next()
    forward = list(_forward(world))
    rare = list(_rare(world, script)) if choice >= RARE_FROM else []
    if rare:
        rare[(choice - RARE_FROM) % len(rare)].do()
        return True
    if not forward:
        return False
    chosen = forward[choice % len(forward)]
    _creep(world, script.next() * (1_000 if chosen.say == "resume" else 4))
    chosen.do()
    return True


def _finish(world: World) -> None:
    """Cancel what is left, and let everybody hear of it."""
    for _ in range(200):
        while world.mail:
            world.deliver()
        live = list(_live(world))
        if not live:
            return
        world.tell_person(live[0], "cancel")
    raise AssertionError("executions go on for ever")


def _live(world: World) -> Iterator[Pair]:
    return (pair for pair in world.pairs.values() if pair.live)


def _forward(world: World) -> Iterator[Choice]:
    """What brings executions forward: answers, mail, gates, time, what is waited for, the end of a pause."""
    for pair in _live(world):
        yield from _answers(world, pair)
    if world.mail:
        yield Choice("mail", world.deliver)
    if world.admitting.decides(world.mail):
        yield Choice("gates", world.look_at_gates)
    yield from _going_on(world)
    if world.scenario.early and len(world.log) % 2 == 0:
        yield from _early(world, len(world.log))
    soon = _next_alarm(world)
    if soon is not None:
        yield Choice("time", partial(world.tick, soon))
    for pair in _live(world):
        yield from _awaited(world, pair)
        by_job = any(pair.id in paused for paused in world.holding_up.paused.values())
        if pair.shadow.status == "paused" and not by_job:
            for _ in range(2):
                yield Choice("resume", partial(world.tell_person, pair, "resume"))


def _early(world: World, number: int) -> Iterator[Choice]:
    """Signals that nobody may wait for yet, and pauses."""
    for pair in _live(world):
        for name in sorted(pair.shadow.walk.layout.signals):
            if _clear(pair, name):
                yield Choice("signal", partial(world.send_signal, pair, name, number % 4))
        if pair.shadow.status == "live" and pair.shadow.leaves.kept:
            for _ in range(3):
                yield Choice("pause", partial(world.tell_person, pair, "pause"))


def _going_on(world: World) -> Iterator[Choice]:
    """What operators do to what is held up, and what comes of it."""
    if world.holding_up.can_go(_live(world)):
        yield Choice("let go", world.let_go)
    for what in list(world.holding_up.suspended):
        yield Choice("lift", partial(world.lift, what))
    if world.holding_up.believed and len(world.log) % 3 == 1:
        yield Choice("hear", world.hear)
    if not world.admitting.decides(world.mail) and (at := world.admitting.next_at()) is not None:
        yield Choice("rate", partial(world.wait_for_rate, at))
    if world.scenario.operated and len(world.log) % 3 == 0 and (found := _can_be_held_up(world)):
        yield Choice("hold up", partial(world.hold_up, found[len(world.log) // 3 % len(found)]))


def _answers(world: World, pair: Pair) -> Iterator[Choice]:
    for wait in unanswered(world, pair, "activity"):
        yield Choice("answer", partial(answer_activity, world, pair, wait))
    for wait in unanswered(world, pair, "enhance"):
        for how in ("well", "well", "badly", "ai_refused", "broken"):
            yield Choice("model", partial(answer_enhancement, world, pair, wait, how))
    for wait in unanswered(world, pair, "task"):
        for outcome in (*wait.about["outcomes"], None):
            yield Choice("decide", partial(answer_task, world, pair, wait, outcome))
        if any(rung["do"] == "fail" for rung in wait.about["ladder"]):
            yield Choice("ladder", partial(expire_task, world, pair, wait))


def _awaited(world: World, pair: Pair) -> Iterator[Choice]:
    """Signals and events that some `state` waits for."""
    for name in _signals(pair):
        for number in (2, 0):
            yield Choice("signal", partial(world.send_signal, pair, name, number))
    for one in (one for wait in pair.shadow.waits("state") for one in wait.about["events"]):
        for number in (2, 0):
            data = {"k": 1 if one.member is None else one.value, "n": number}
            yield Choice("event", partial(world.publish, one.pattern.replace("*", "done"), data))


def _rare(world: World, script: Script) -> Iterator[Choice]:
    number = script.next()
    if world.past:
        yield Choice("again", partial(world.repeat, number))
    for type_ in sorted({type_ for pair in _live(world) for type_ in pair.shadow.walk.layout.events}):
        yield Choice("event", partial(world.publish, type_.replace("*", "lost"), {"k": number % 4, "n": number % 3}))
    for pair in _live(world):
        for name in sorted({*pair.shadow.walk.layout.signals, "unheard"}):
            if _clear(pair, name):
                yield Choice("signal", partial(world.send_signal, pair, name, number % 4))
        if world.engine and pair.shadow.status in ("live", "queued"):
            for _ in range(2):
                yield Choice("pause", partial(world.tell_person, pair, "pause"))
        if number >= 200:
            yield Choice("cancel", partial(world.tell_person, pair, "cancel"))
    for pair in _live(world):
        last = 1 + number % 3
        if _sure(world, pair, last):
            yield Choice("late", partial(world.tick, pair, last))
    yield from _operated(world, number)


def _operated(world: World, number: int) -> Iterator[Choice]:
    """What operators do: suspend, change quotas."""
    found = _can_be_held_up(world)
    if found:
        for _ in range(2):
            yield Choice("hold up", partial(world.hold_up, found[number % len(found)]))
    if world.orders and len(world.pairs) < MOST_PAIRS:
        number_again = number % (len(world.orders) + 1)  # the last comes for the first time
        payload = world.orders.get(number_again, {"k": number % 3, "n": number % 4, "items": []})
        yield Choice("order", partial(world.order, number_again, payload))
    if world.around.live is not None:
        yield Choice("quotas", partial(world.change_quotas, number))


def _can_be_held_up(world: World) -> list[str]:
    """Types of nodes, connections, workflows, the tenant; some at once."""
    if not world.scenario.suspended or len(world.holding_up.suspended) >= MOST_HELD_UP:
        return []
    nodes = [node for pair in _live(world) for node in pair.shadow.walk.layout.nodes.values()]
    types = {f"node_type:{node['type']}" for node in nodes}
    undone = [node["compensate"] for node in nodes if "compensate" in node]
    asks = [*nodes, *undone, *(node["enhance"] for node in nodes if "enhance" in node)]
    connections = {f"connection:{one['with']['connection']}" for one in asks if "connection" in one["with"]}
    types |= {f"node_type:{node['enhance']['type']}" for node in nodes if "enhance" in node}
    slugs = world.scenario.programs if nodes else ()
    whole = {one for slug in slugs for one in ("tenant", f"workflow:{slug}")}
    return sorted((types | connections | whole) - world.holding_up.suspended.keys())


def _signals(pair: Pair) -> list[str]:
    """The names that exactly one open `state` waits for; which of several takes a signal is left open."""
    waited = [name for wait in pair.shadow.waits("state") for name in wait.about["signals"]]
    return [name for name in dict.fromkeys(waited) if _clear(pair, name)]


def _clear(pair: Pair, name: str) -> bool:
    return sum(name in wait.about["signals"] for wait in pair.shadow.waits("state")) <= 1


def _next_alarm(world: World) -> Pair | None:
    """The execution whose alarm rings next, where it is clear what rings: two alarms at one moment may ring in any order."""
    for pair in sorted(_live(world), key=_soonest):
        alarms = pair.shadow.alarms()
        if alarms and (world.ties or _sure(world, pair)):
            return pair
    return None


def _soonest(pair: Pair) -> int:
    alarms = pair.shadow.alarms()
    return alarms[0][1] if alarms else 1 << 60


def _sure(world: World, pair: Pair, last: int = 0) -> bool:
    """Whether it is clear in which order its alarms ring when it is looked at as the last of these does."""
    alarms = pair.shadow.alarms()
    if len(alarms) <= last:
        return False
    at = max(world.now, alarms[last][1])
    due = [alarm for alarm in alarms if alarm[0] <= at]
    return due[-1][1] <= at and all(one[1] < two[0] for one, two in pairwise(due))


def _creep(world: World, most: int) -> None:
    """Let some milliseconds pass, but never to an alarm that could ring."""
    limits = [alarm[0] - 1 for pair in _live(world) for alarm in pair.shadow.alarms()]
    limits = [limit for limit in limits if limit >= world.now]
    world.now = min([world.now + 1 + most, *limits])
