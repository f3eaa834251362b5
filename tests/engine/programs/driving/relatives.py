"""What executions that call one another tell each other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from tests.engine.programs.driving.answering import answer
from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.shadow.fibers import Failed

if TYPE_CHECKING:
    from tests.engine.programs.driving.world import World


def call(world: World, pair: Pair, effect: Any) -> Mail:
    """The start of a child, on its way."""
    _, node, visit, slug, input_ = effect
    return world.starting(uuid5(pair.id, f"call:{node}:{visit}"), slug, input_, pair, (node, visit))


def to_child(world: World, pair: Pair, effect: Any) -> Mail:
    """What a child that is waited for is told, on its way."""
    word, node, visit = effect
    child = uuid5(pair.id, f"call:{node}:{visit}")
    verb = word.removeprefix("child.")

    def tell(to: Pair) -> None:
        getattr(to.shadow, verb)(world.now)

    return Mail(child, f"is told to {verb}", tell)


def is_waited_for(pair: Pair) -> bool:
    """Whether its caller waits for its end."""
    assert pair.parent is not None
    return pair.parent.shadow.walk.layout.nodes[pair.step[0]]["with"].get("wait", True) is not False


def ended(world: World, pair: Pair) -> Mail:
    """The end of a child, on its way to its caller."""
    assert pair.parent is not None
    value: Any = pair.shadow.output
    if pair.shadow.status == "cancelled":
        value = Failed("child_cancelled", pair.step[0], permanent=True)
    elif pair.shadow.error is not None:
        error = pair.shadow.error
        value = Failed(error.code, pair.step[0], message=error.message, permanent=error.permanent)
    hear = partial(answer, world=world, kind="child", step=(*pair.step, 0), value=value)
    return Mail(pair.parent.id, f"hears that its child {pair.step} is {pair.shadow.status}", hear)
