"""One verb on many tasks."""

from __future__ import annotations

from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Uow

from weft_tasks.api.asking import who_is
from weft_tasks.api.routes import door
from weft_tasks.bulk import schemas, verbs
from weft_tasks.bulk.schemas import TaskBulkBody, TaskBulkView


@door.post("/user-tasks/bulk", may=Permission.TASKS_ACT)
async def act_on_tasks(body: TaskBulkBody, asker: Asker, uow: Uow) -> TaskBulkView:
    """Do one verb to many tasks, at most 100 at once, by the very rules of one; the answer says what became of each.

    Those that are refused do not hold up the others. Sent again with the same `Idempotency-Key` it does nothing and answers the same.
    """
    who = await who_is(asker, uow)
    query = None if body.filter is None else body.filter.query(body.verb)
    outcomes, left = await verbs.on_many(body.verb, body.ids, query, body.versions, body.options.given(), who, uow)
    return schemas.view(body.verb, outcomes, left)
