"""What an execution asks of others carries its priority."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from weft_engine.core.messages import Outgoing

from tests.engine.core.conftest import Run, program_of

ACTIVITY = {"id": "a", "type": "activity", "with": {"name": "work"}}


def told(outgoing: list[Outgoing], type_: str) -> dict[str, Any]:
    [data] = [msgspec.json.decode(out.item.data) for out in outgoing if out.item.type == type_]
    found: dict[str, Any] = data
    return found


@pytest.mark.parametrize(("settings", "means"), [({}, 5), ({"priority": 8}, 8)])
def test_a_worker_and_a_task_are_told_the_priority_of_the_workflow(settings: dict[str, Any], means: int) -> None:
    task = {"id": "t", "type": "task", "with": {"title": "Do"}}
    fan = {"id": "p", "type": "parallel", "with": {"branches": {"one": {"nodes": [ACTIVITY]}, "two": {"nodes": [task]}}}}
    run = Run(program_of([fan], settings=settings)).start()
    assert [told(run.outgoing, word)["priority"] for word in ("activity.requested", "task.create")] == [means, means]


def test_a_task_that_names_a_priority_has_that_one() -> None:
    run = Run(program_of([{"id": "t", "type": "task", "with": {"title": "Do", "priority": 2}}], settings={"priority": 8})).start()
    assert told(run.outgoing, "task.create")["priority"] == 2
