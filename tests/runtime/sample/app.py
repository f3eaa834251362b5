"""The sample's door: one route of each sort the runtime knows."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import Query
from pydantic import BaseModel, Field
from weft_contracts.tasks import CreateTask, TaskClaimed
from weft_runtime.auth import Permission
from weft_runtime.clock import new_id
from weft_runtime.errors import Conflict, NotFound, PreconditionFailed
from weft_runtime.http import Asker, Body, Context, Door, IfMatch, Listing, OwnerUow, Page, RawBody, Reply, Uow
from weft_runtime.pipeline import Handlers
from weft_runtime.service import Service
from weft_runtime.settings import ServiceSettings
from weft_runtime.uow import UnitOfWork

from tests.runtime.sample import tables

door = Door("sample")


class Settings(ServiceSettings):
    pass


class Inner(Body):
    name: str = Field(min_length=1, max_length=20)
    due: datetime | None = None


class NoteBody(Body):
    title: str = Field(min_length=1, max_length=200)
    stars: int = 0
    kind: Literal["memo", "todo"] = "memo"
    data: dict[str, Any] = Field(default_factory=dict)
    inner: list[Inner] = Field(default_factory=list)
    other: Inner | list[int] | None = None


class NoteView(BaseModel):
    id: UUID
    title: str
    stars: int
    data: dict[str, Any]
    revision: int
    created_at: datetime


class NoteQuery(BaseModel):
    title: str | None = None
    least: Annotated[int, Field(ge=0)] = 0


class NoteMissing(NotFound):
    code = "note_missing"


class Halfway:
    """Where a request rests. reached: it has come so far.  go_on: what it waits for."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Nobody has come, and nobody goes on."""
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()


halfway = Halfway()
"""In the making of a note named `slow`."""
patience = Halfway()
"""After the making of a note named `patience`, at `/later`."""


def view(row: Any) -> NoteView:
    return NoteView(id=row.id, title=row.title, stars=row.stars, data=row.data, revision=row.revision, created_at=row.created_at)


async def load(note_id: UUID, uow: Uow) -> NoteView:
    row = (await uow.conn.execute(sa.select(tables.notes).where(tables.notes.c.id == note_id))).one_or_none()
    if row is None:
        raise NoteMissing(f"there is no note {note_id}; list them with GET /api/v1/notes")
    return view(row)


@door.post("/notes", may=Permission.WORKFLOWS_WRITE, status=201)
async def create_note(body: NoteBody, uow: Uow) -> Reply[NoteView]:
    made = NoteView(id=new_id(), title=body.title, stars=body.stars, data=body.data, revision=1, created_at=uow.now)
    await uow.conn.execute(sa.insert(tables.notes).values(tenant_id=uow.tenant, **made.model_dump()))
    if body.title == "clash":
        raise Conflict("this note clashes with another; name it otherwise", code="note_clash")
    if body.title == "slow":
        halfway.reached.set()
        await halfway.go_on.wait()
    if body.title == "said":
        uow.say(claimed(made.id, uow))
    return Reply(made, etag="1", headers={"Location": f"/api/v1/notes/{made.id}"})


@door.get("/notes", may=Permission.WORKFLOWS_READ)
async def list_notes(query: Annotated[NoteQuery, Query()], page: Page, uow: Uow) -> Listing[NoteView]:
    table = tables.notes
    statement = sa.select(table).where(table.c.stars >= query.least).order_by(table.c.created_at, table.c.id).limit(page.limit + 1)
    if query.title is not None:
        statement = statement.where(table.c.title == query.title)
    if page.after is not None:
        statement = statement.where(sa.tuple_(table.c.created_at, table.c.id) > page.after)
    rows = (await uow.conn.execute(statement)).all()
    return page.listing(rows, view=view, key=lambda row: (row.created_at, row.id))


@door.get("/notes/{note_id}", may=Permission.WORKFLOWS_READ)
async def get_note(note_id: UUID, uow: Uow) -> Reply[NoteView]:
    note = await load(note_id, uow)
    return Reply(note, etag=str(note.revision))


@door.put("/notes/{note_id}", may=Permission.WORKFLOWS_WRITE)
async def put_note(note_id: UUID, body: NoteBody, uow: Uow, match: IfMatch) -> Reply[NoteView]:
    note = await load(note_id, uow)
    if match is not None and match != str(note.revision):
        raise PreconditionFailed(f"the note is at version {note.revision}; read it again")
    changed = note.model_copy(update={"title": body.title, "revision": note.revision + 1})
    await uow.conn.execute(
        sa.update(tables.notes).where(tables.notes.c.id == note_id).values(title=changed.title, revision=changed.revision)
    )
    return Reply(changed, etag=str(changed.revision))


@door.delete("/notes/{note_id}", may=Permission.WORKFLOWS_WRITE, status=204)
async def delete_note(note_id: UUID, uow: Uow) -> None:
    await load(note_id, uow)
    await uow.conn.execute(sa.delete(tables.notes).where(tables.notes.c.id == note_id))


@door.get("/titles/{title}", may=Permission.WORKFLOWS_READ)
async def by_title(title: str, uow: Uow) -> int:
    return (await uow.conn.execute(sa.select(sa.func.count()).where(tables.notes.c.title == title))).scalar_one()


@door.get("/stars/{stars}", may=Permission.WORKFLOWS_READ)
async def by_stars(stars: int, uow: Uow) -> int:
    return (await uow.conn.execute(sa.select(sa.func.count()).where(tables.notes.c.stars == stars))).scalar_one()


@door.post("/raw", may=Permission.EVENTS_PUBLISH, status=202)
async def raw(body: RawBody, asker: Asker) -> dict[str, Any]:
    return {"size": len(body), "tenant": asker.tenant}


@door.post("/later", may=Permission.EXECUTIONS_START, status=202)
async def later(body: NoteBody, uow: Uow, context: Context) -> Reply[dict[str, str]]:
    async def then() -> Reply[dict[str, str]] | None:
        if body.title == "patience":
            patience.reached.set()
            await patience.go_on.wait()
        if body.title == "refused":
            raise Conflict("whoever was asked refused", code="note_refused")
        async with context.transaction(uow.tenant) as after:
            count = (await after.conn.execute(sa.select(sa.func.count()).where(tables.notes.c.title == body.title))).scalar_one()
        return Reply({"found": str(count)}, status=200)

    await create_note(body, uow)
    return Reply({"status": "queued"}, then=then)


@door.get("/everything", may=Permission.TENANTS_MANAGE)
async def everything(uow: OwnerUow) -> int:
    return (await uow.conn.execute(sa.select(sa.func.count()).select_from(tables.notes))).scalar_one()


@door.get("/bug", may=Permission.WORKFLOWS_READ)
async def bug() -> int:
    raise RuntimeError("the secret inside")


@door.get("/open", public=True, root=True)
async def open_door() -> dict[str, str]:
    return {"hello": "world"}


@door.get("/patient", public=True, root=True)
async def patient() -> dict[str, bool]:
    await asyncio.sleep(0.5)
    return {"waited": True}


@door.post("/login", public=True, per_minute=3)
async def login(body: Inner) -> dict[str, str]:
    return {"name": body.name}


on = Handlers("sample")


@on(CreateTask)
async def note_task(msg: CreateTask, uow: UnitOfWork) -> None:
    row = {"id": msg.task_id, "title": msg.title, "stars": 0, "data": {}, "revision": 1, "created_at": uow.now}
    await uow.conn.execute(sa.insert(tables.notes).values(tenant_id=uow.tenant, **row))
    uow.say(claimed(msg.task_id, uow))


def claimed(id: UUID, uow: UnitOfWork) -> TaskClaimed:
    return TaskClaimed(task_id=id, execution_id=id, workflow="w", node="n", task_version=1, at=uow.now, assignee="a")


def build(settings: Settings) -> Service:
    return Service(name="sample", package="tests.runtime.sample", settings=settings, door=door, handlers=on, tables=tables.metadata)
