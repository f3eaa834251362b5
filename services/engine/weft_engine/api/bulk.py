"""One verb on many executions: a job that is previewed, started, watched and stopped."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Listing, Page, Reply, Uow
from weft_runtime.http.parameters import MAX_LIMIT

from weft_engine.api.routes import door
from weft_engine.bulk import jobs, schemas
from weft_engine.bulk.running import BulkWake
from weft_engine.bulk.schemas import BulkBody, BulkView, BulkWithItems, ChosenView, ItemQuery, ItemView, PreviewView
from weft_engine.settings import Settings
from weft_engine.store import bulk as store

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {200: {"model": PreviewView}, 202: {"model": BulkView}}


@door.post("/executions/bulk", may=Permission.EXECUTIONS_OPERATE, status=202, responses=_ANSWERS)
async def start_bulk(body: BulkBody, uow: Uow, context: Context) -> Reply[Any]:
    """Do one verb to all executions that a filter chooses now; with `preview`, only say which. The job's address is in `Location`."""
    most = cast(Settings, context.settings).bulk_most
    if body.preview:
        found = await jobs.preview(body, most, uow)
        shown = [ChosenView.model_validate(row, from_attributes=True) for row in found.sample]
        return Reply(PreviewView(verb=body.verb, total=found.total, by_status=found.by_status, sample=shown), status=200)
    job = await jobs.start(body, most, uow)
    return _woken(schemas.view(job), context, headers={"Location": f"/api/v1/bulk/{job.id}"})


@door.get("/bulk", may=Permission.EXECUTIONS_READ)
async def list_bulk(page: Page, uow: Uow) -> Listing[BulkView]:
    """Jobs, the newest first."""
    rows = await store.listed(uow, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=schemas.view, key=lambda job: (job.created_at, job.id))


@door.get("/bulk/{job_id}", may=Permission.EXECUTIONS_READ)
async def get_bulk(job_id: UUID, uow: Uow) -> BulkWithItems:
    """A job, how far it is, and what became of the first 200 executions."""
    job = await jobs.get(job_id, uow)
    return schemas.with_items(job, await store.listed_items(uow, job_id, (), after=0, limit=MAX_LIMIT))


@door.get("/bulk/{job_id}/items", may=Permission.EXECUTIONS_READ)
async def list_bulk_items(job_id: UUID, query: Annotated[ItemQuery, Query()], page: Page, uow: Uow) -> Listing[ItemView]:
    """What became of each execution of a job; those `?status=refused` with the reason."""
    job = await jobs.get(job_id, uow)
    after = int(page.after[0]) if page.after is not None else 0
    # In a job that was stopped, what waits has nothing more to wait for, and is called stopped.
    stored = {"waiting": "stopped", "stopped": "waiting"} if job.status == "stopped" else {}
    rows = await store.listed_items(uow, job_id, [stored.get(one, one) for one in query.status], after=after, limit=page.limit + 1)
    return page.listing(rows, view=lambda item: schemas.item_view(item, job.status), key=lambda item: (item.number,))


@door.post("/bulk/{job_id}/stop", may=Permission.EXECUTIONS_OPERATE, status=202)
async def stop_bulk(job_id: UUID, uow: Uow, context: Context) -> Reply[BulkView]:
    """Send no more commands; those on their way are still answered. What was done stays done."""
    return _woken(schemas.view(await jobs.stop(job_id, uow)), context)


def _woken(view: BulkView, context: ServiceContext, headers: dict[str, str] | None = None) -> Reply[BulkView]:
    async def wake() -> None:
        context.part(BulkWake).call()

    return Reply(view, headers=headers, then=wake)
