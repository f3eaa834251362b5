"""What time does to a task: reminders before it is due, and the rungs of its ladder, in one order. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from weft_contracts.tasks import CreateTask

from weft_tasks.machine import LIVE
from weft_tasks.task import Step, Task, normal_candidates, normal_name


def planned(cmd: CreateTask, due_at: datetime | None, clock_from: datetime, now: datetime) -> tuple[Step, ...]:
    """The steps of a task in the order of their time; of equals the reminders come first, then the rungs as listed.

    due_at, clock_from: put off by the pauses that are over.  now: or when the pause began that stands. Reminders whose time is over by
    then are left out; a rung whose time is over is not, since it changes something: it comes at once.
    """
    due_s = None if due_at is None else (due_at - clock_from).total_seconds()
    elapsed_s = (now - clock_from).total_seconds()
    reminders = [] if due_s is None else [due_s - before_s for before_s in cmd.reminders]
    steps = [Step(after_s, "remind") for after_s in reminders if after_s > elapsed_s]
    for number, rung in enumerate(cmd.on_timeout, 1):
        assignee = normal_name(rung.assignee) if rung.assignee else None
        candidates = None if rung.candidates is None else normal_candidates(rung.candidates)
        steps.append(Step(rung.after_s, rung.do, number, assignee, candidates, rung.outcome))
    return tuple(sorted(steps, key=lambda step: step.after_s))


def at(task: Task, step: Step) -> datetime:
    """When a step of a task comes, as far as is known now: a pause puts it off by its length once it is over."""
    return (task.clock_from or task.created_at) + timedelta(seconds=step.after_s)


def due(task: Task) -> Step | None:
    """The step that is next, None where nothing more comes."""
    return task.agenda[task.passed] if task.status in LIVE and task.passed < len(task.agenda) else None


def next_at(task: Task) -> datetime | None:
    """When the next step comes, None where nothing more does."""
    step = due(task)
    return None if step is None else at(task, step)
