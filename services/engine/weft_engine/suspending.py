"""Suspending: a tenant, a workflow, a node type or a connection is held up without loss, and goes on when that is lifted.

What lives is paused by a bulk job, what is started waits at a gate, and a node of a type, or that goes by a
connection, that is held up waits at its gate too; of one that goes by a connection its further attempts and its undoing do likewise.
What comes in by a connection, changes of rows and mails, is told of it: the events service reads and fetches nothing until it is lifted.
"""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from weft_contracts.connections import ConnectionResumed, ConnectionSuspended
from weft_language import node_type
from weft_runtime.clock import new_id
from weft_runtime.errors import Detail, Invalid
from weft_runtime.uow import UnitOfWork

from weft_engine import auditing
from weft_engine.bulk import jobs
from weft_engine.bulk.schemas import FASTEST_PER_S, BulkBody, BulkFilter
from weft_engine.errors import AlreadySuspended, SuspensionNotFound
from weft_engine.store import connections, quotas
from weft_engine.store import suspensions as store
from weft_engine.store.suspensions import Suspension

Kind = Literal["tenant", "workflow", "node_type", "connection"]
PAUSED_BY_JOB: Final = ("tenant", "workflow")
"""Kinds whose live executions are paused; the others only hold up who comes to a node of theirs."""


async def suspend(kind: Kind, name: str, reason: str | None, most: int, uow: UnitOfWork) -> Suspension:
    """Hold something up. name: a workflow's slug, a node type or a connection's name; empty for the tenant.

    Raises: Invalid for a name that nothing has, AlreadySuspended, BulkTooLarge.
    """
    await _require_known(kind, name, uow)
    suspension_id = new_id()
    if not await store.add(uow, suspension_id, kind, name, reason):
        raise AlreadySuspended(kind, name)
    if kind in PAUSED_BY_JOB:
        chosen = BulkFilter(workflow=name) if kind == "workflow" else BulkFilter(status=["running", "waiting", "queued"])
        asked = BulkBody(verb="pause", filter=chosen, reason=f"suspension {suspension_id}", rate_per_s=FASTEST_PER_S)
        job = await jobs.start(asked, most, uow)
        await store.set_job(uow, suspension_id, job.id)
    made = await get(suspension_id, uow)
    if kind == "connection":
        uow.say(ConnectionSuspended(suspension_id=made.id, name=made.name, reason=made.reason, at=made.since, by=made.by))
    else:
        uow.say(auditing.suspension(kind, name, reason, held=True))
    return made


async def _require_known(kind: Kind, name: str, uow: UnitOfWork) -> None:
    """Refuse a name that nothing has: nothing would be held up, and whoever meant to would not notice. Raises: Invalid."""
    known = kind == "tenant"
    if kind == "workflow":
        known = await quotas.workflow(uow, name) is not None
    elif kind == "connection":
        known = await connections.named(uow, name) is not None
    elif kind == "node_type":
        known = node_type(name) is not None
    if not known:
        detail = f"there is no {kind.replace('_', ' ')} {name!r} here"
        raise Invalid(detail, details=[Detail("/name", "unknown_name", detail)])


async def get(suspension_id: UUID, uow: UnitOfWork) -> Suspension:
    """A suspension. Raises: SuspensionNotFound."""
    found = await store.get(uow, suspension_id)
    if found is None:
        raise SuspensionNotFound(suspension_id)
    return found


async def lift(suspension_id: UUID, most: int, uow: UnitOfWork) -> Suspension:
    """Let go on what was held up; what somebody paused by hand stays paused. Lifting twice is once. Raises: SuspensionNotFound."""
    found = await get(suspension_id, uow)
    if found.lifted_at is not None:
        return found
    await store.lift(uow, suspension_id)
    if found.kind == "connection":
        by = None if uow.caller is None else uow.caller.sub
        uow.say(ConnectionResumed(suspension_id=found.id, name=found.name, at=uow.now, by=by))
    else:
        uow.say(auditing.suspension(found.kind, found.name, found.reason, held=False))
    if found.pause_job is not None:
        asked = BulkBody(
            verb="resume", filter=BulkFilter(status="paused"), reason=f"suspension {suspension_id} lifted", rate_per_s=FASTEST_PER_S
        )
        await jobs.start(asked, most, uow, done_by=found.pause_job)
    return await get(suspension_id, uow)
