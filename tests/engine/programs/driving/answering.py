"""Those who are asked: workers, models, people. Each answers once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from weft_engine.core import items as i

from tests.engine.programs.driving.modelling import bad_result, result_of
from tests.engine.programs.driving.parts import Pair
from tests.engine.programs.driving.working import done_by_worker
from tests.engine.programs.shadow.fibers import Failed, Wait
from tests.engine.programs.shadow.tasks import Expired

if TYPE_CHECKING:
    from tests.engine.programs.driving.world import World

PEOPLE = ("ann", "bob", "cem")


def unanswered(world: World, pair: Pair, kind: str) -> list[Wait]:
    """What waits for somebody who has not yet answered; while paused an answer is held, and nobody answers twice."""
    return [
        wait
        for wait in pair.shadow.waits(kind)
        if (pair.id, wait.node, wait.visit, wait.attempt) not in world.answered
        and not (pair.shadow.status == "paused" and wait.about.get("name") == "dies" and wait.attempt == 1)
    ]


def answer_activity(world: World, pair: Pair, wait: Wait) -> None:
    """A worker does what the name of the activity says."""
    place = (wait.node, wait.visit, wait.attempt)
    world.answered.add((pair.id, *place))
    item, value = done_by_worker(pair.id, wait.about["name"], *place)
    tell = partial(answer, world=world, kind="activity", step=place, value=value)
    world.happen(pair, f"{wait.node}#{wait.visit} attempt {wait.attempt} {value[0]}", tell, item)


def answer_enhancement(world: World, pair: Pair, wait: Wait, how: str) -> None:
    """A model answers: `well`, `badly`, or with the code of an error."""
    place = (wait.node, wait.visit, wait.attempt)
    world.answered.add((pair.id, *place))
    if how in ("well", "badly"):
        made = (
            result_of(wait.about["node"], wait.about["apply"], wait.visit)
            if how == "well"
            else bad_result(wait.about["node"], wait.about["apply"])
        )
        output = {"result": made, "usage": {"cost": 0.01}} if made is not ... else {}
        item: Any = i.ActivityCompleted(pair.id, *place, "done", output)
        value: tuple[Any, ...] = ("completed", "done", output)
    else:
        item, value = i.ActivityFailed(pair.id, *place, {"code": how, "message": how, "permanent": True}), ("failed", how, True)
    tell = partial(answer, world=world, kind="enhance", step=place, value=value)
    world.happen(pair, f"{wait.node}#{wait.visit} is answered: {how}", tell, item)


def answer_task(world: World, pair: Pair, wait: Wait, outcome: str | None) -> None:
    """A person decides; no outcome: the task fails."""
    world.answered.add((pair.id, wait.node, wait.visit, wait.attempt))
    if pair.cored is not None:
        pair.cored.over(wait.node, wait.visit)
    if outcome is None:
        error = {"code": "task_broken", "message": "broken", "permanent": wait.visit > 2}
        item: Any = i.FailStep(pair.id, wait.node, wait.visit, error)
        value: Any = Failed("task_broken", wait.node, permanent=wait.visit > 2)
    else:
        output: dict[str, Any] = {"outcome": outcome, "form": {"v": wait.visit}, "completed_by": PEOPLE[wait.visit % 2]}
        if wait.visit % 3 == 2:
            output["approvals"] = [{"outcome": outcome, "completed_by": PEOPLE[2]}]
        item, value = i.CompleteStep(pair.id, wait.node, wait.visit, outcome, output), (outcome, output)
    tell = partial(answer, world=world, kind="task", step=(wait.node, wait.visit, 0), value=value)
    world.happen(pair, f"{wait.node}#{wait.visit} is decided: {outcome}", tell, item)


def expire_task(world: World, pair: Pair, wait: Wait) -> None:
    """Its ladder fails a task."""
    world.answered.add((pair.id, wait.node, wait.visit, wait.attempt))
    if pair.cored is not None:
        pair.cored.over(wait.node, wait.visit)
    item = i.FailStep(pair.id, wait.node, wait.visit, {"code": "timeout", "message": "nobody decided", "permanent": False})
    tell = partial(answer, world=world, kind="task", step=(wait.node, wait.visit, 0), value=Expired(wait.node))
    world.happen(pair, f"{wait.node}#{wait.visit} is failed by its ladder", tell, item)


def answer(pair: Pair, *, world: World, kind: str, step: tuple[Any, ...], value: Any) -> None:
    """Tell the shadow what came of something that was asked."""
    node, visit, attempt = step
    pair.shadow.answer(kind, node, visit, attempt, world.now, value)
