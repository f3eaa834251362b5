"""One verb on many tasks, one by one, by the very rules of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from weft_runtime.errors import Conflict, Invalid, NotFound
from weft_runtime.uow import UnitOfWork

from weft_tasks import searching, store, usecases
from weft_tasks.bulk import MOST, Outcome, Verb, require_one_choice, require_options, require_room
from weft_tasks.errors import MayNotAssign
from weft_tasks.schemas import TaskQuery
from weft_tasks.task import Task, Who


async def on_many(
    verb: Verb,
    ids: Sequence[UUID] | None,
    query: TaskQuery | None,
    versions: Mapping[UUID, int],
    options: dict[str, Any],
    who: Who,
    uow: UnitOfWork,
) -> tuple[list[Outcome], int]:
    """Do it to each of the tasks. One that is refused changes nothing and holds up none of the others.

    It is one transaction: whoever asks again with the same key gets the same answer, and a crash leaves all of it undone.

    Returns: what became of each, and how many more there are.  Raises: BadChoice, MayNotAssign; StaleWrite where others held some of
    them in another order.
    """
    require_one_choice(ids, query is not None)
    require_options(verb, options)
    if verb == "reassign" and not who.may_assign:
        raise MayNotAssign("this needs the permission tasks.assign; ask an administrator of your tenant for a role that has it")
    chosen, left = list(dict.fromkeys(ids or ())), 0
    if query is not None:
        chosen, fits = await store.chosen(uow, searching.conditions(query, who, uow.now), MOST)
        left = fits - len(chosen)
    require_room(options.get("form"), len(chosen))
    if verb == "complete":
        # In the order of everybody who decides one task: first the names, then the rows.
        await usecases.order_decisions(await store.several(uow, chosen), who, uow)
    await store.held(uow, chosen)
    return [await _one(verb, task_id, versions.get(task_id), options, who, uow) for task_id in chosen], left


async def _one(verb: Verb, task_id: UUID, version: int | None, options: dict[str, Any], who: Who, uow: UnitOfWork) -> Outcome:
    """Every refusal comes before anything of the task is written, so there is nothing to take back."""
    try:
        return Outcome(task_id, await _do(verb, task_id, version, options, who, uow))
    except (Invalid, NotFound, Conflict) as refusal:
        return Outcome(task_id, refusal=refusal)


async def _do(verb: Verb, task_id: UUID, version: int | None, options: dict[str, Any], who: Who, uow: UnitOfWork) -> Task:
    match verb:
        case "claim":
            return await usecases.claim_task(task_id, who, version, uow)
        case "release":
            return await usecases.release_task(task_id, who, version, uow)
        case "complete":
            return await usecases.complete_task(task_id, who, options.get("outcome"), options.get("form"), version, uow)
        case "reassign":
            return await usecases.reassign_task(task_id, who, options["assignee"], version, uow)
        case "delegate":
            return await usecases.delegate_task(task_id, who, options["assignee"], version, uow)
        case "snooze":
            return await usecases.snooze_task(task_id, who, options["until"], version, uow)
        case "comment":
            return await usecases.comment_task(task_id, who, options["text"], uow)
