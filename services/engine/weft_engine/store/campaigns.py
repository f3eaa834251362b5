"""Queries that bulk jobs and migrations share: which executions they take, which of them is due, what their items were answered.

Those of the runner, which serves all tenants, are `take`, `next_due_s` and `forget`; whatever comes after is of `uow.tenant`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import answers, bulk_items, executions

Campaign = sa.Row[Any]
"""A row of `bulk_jobs` or `migrations`."""
CHOOSING_S: Final = 60
"""Choosing a million executions takes longer than a route's statement usually may."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Where a kind of campaign is kept. of: the items' column that names theirs.  goes_on: of the rows that are looked at."""

    campaigns: sa.Table
    items: sa.Table
    of: sa.Column[UUID]
    goes_on: sa.ColumnElement[bool]

    def items_of(self, uow: UnitOfWork, campaign_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
        """The items of a campaign."""
        return (self.items.c.tenant_id == uow.tenant, self.of == campaign_id)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which executions. live: none of `statuses` is an end, so that only those that live need to be looked at.

    since, until: of their start.  done_by: a bulk job that changed them, by a command that is answered or on its way.
    """

    workflow: str | None = None
    statuses: Sequence[str] = ()
    live: bool = False
    version: int | None = None
    key: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    ids: Sequence[UUID] | None = None
    done_by: UUID | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an item. code, detail: why, where it was refused."""

    number: int
    status: str
    code: str | None = None
    detail: str | None = None


def fitting(uow: UnitOfWork, wanted: Selection) -> list[sa.ColumnElement[bool]]:
    """The executions of a selection."""
    c = executions.c
    found: list[sa.ColumnElement[bool]] = [c.tenant_id == uow.tenant]
    equal = {"workflow": wanted.workflow, "version": wanted.version, "key": wanted.key}
    found += [c[name] == value for name, value in equal.items() if value is not None]
    if wanted.done_by is not None:
        done = bulk_items.c
        changed = sa.or_(done.status == "sent", sa.and_(done.status == "ok", done.code.is_distinct_from("repeated")))
        found.append(c.id.in_(sa.select(done.execution_id).where(done.job_id == wanted.done_by, changed)))
    if wanted.statuses:
        found.append(c.status.in_(wanted.statuses))
    if wanted.live:
        found.append(c.ended_at.is_(None))
    if wanted.labels:
        found.append(c.labels.contains(sa.cast(dict(wanted.labels), JSONB)))
    if wanted.since is not None:
        found.append(c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(c.created_at < wanted.until)
    if wanted.q:
        found.append(_search(wanted.q.strip()))
    if wanted.ids is not None:
        found.append(c.id.in_(wanted.ids))
    return found


def _search(text: str) -> sa.ColumnElement[bool]:
    try:
        return executions.c.id == UUID(text)
    except ValueError:
        return sa.or_(*(column.startswith(text, autoescape=True) for column in (executions.c.key, executions.c.workflow)))


async def choose(uow: UnitOfWork, kept: Tables, campaign_id: UUID, wanted: Selection, *, after: int, limit: int) -> int:
    """Make the executions that fit a campaign's items, the oldest first. after: the last number taken. Returns: how many."""
    await uow.conn.execute(sa.select(sa.func.set_config("statement_timeout", f"{CHOOSING_S}s", True)))
    order = (executions.c.created_at, executions.c.id)
    chosen = (
        sa.select(
            sa.literal(uow.tenant),
            sa.literal(campaign_id, sa.Uuid),
            sa.func.row_number().over(order_by=order) + after,
            executions.c.id,
            sa.literal("waiting"),
        )
        .where(*fitting(uow, wanted))
        .limit(limit)
    )
    columns = ["tenant_id", kept.of.name, "number", "execution_id", "status"]
    return (await uow.conn.execute(sa.insert(kept.items).from_select(columns, chosen))).rowcount


async def take(uow: UnitOfWork, kept: Tables, *more: sa.ColumnElement[Any]) -> Campaign | None:
    """The campaign of any tenant that has waited longest, held until the transaction ends; None where none is due. more: columns.

    Another process that looks meanwhile sees the others.
    """
    due_at = kept.campaigns.c.due_at
    query = sa.select(kept.campaigns, *more).where(kept.goes_on, due_at <= sa.func.clock_timestamp())
    return (await uow.conn.execute(query.order_by(due_at).limit(1).with_for_update(skip_locked=True))).one_or_none()


async def next_due_s(uow: UnitOfWork, kept: Tables) -> float | None:
    """Seconds until a campaign of any tenant is due, None where none goes on."""
    soonest = sa.extract("epoch", sa.func.min(kept.campaigns.c.due_at) - sa.func.clock_timestamp()).cast(sa.Float)
    found: float | None = (await uow.conn.execute(sa.select(soonest).where(kept.goes_on))).scalar_one()
    return found


async def open_items(uow: UnitOfWork, kept: Tables, campaign_id: UUID, *statuses: str) -> Sequence[Any]:
    """number, execution_id, status, sent_at of the items that wait for an answer: those in these statuses."""
    c = kept.items.c
    query = sa.select(c.number, c.execution_id, c.status, c.sent_at).where(*kept.items_of(uow, campaign_id), c.status.in_(statuses))
    return (await uow.conn.execute(query.order_by(c.number))).all()


async def answers_of(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, tuple[int, dict[str, Any]]]:
    """(status, body) of what partitions have answered, by the answer's id."""
    if not ids:
        return {}
    query = sa.select(answers.c.id, answers.c.status, answers.c.body).where(answers.c.tenant_id == uow.tenant, answers.c.id.in_(ids))
    return {row.id: (row.status, row.body) for row in await uow.conn.execute(query)}


async def settle(uow: UnitOfWork, kept: Tables, campaign_id: UUID, results: Sequence[Result]) -> None:
    """Write down what became of items."""
    if not results:
        return
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("status", "code", "detail")}
    where = (*kept.items_of(uow, campaign_id), kept.items.c.number == sa.bindparam("at"))
    rows = [{"at": one.number, "new_status": one.status, "new_code": one.code, "new_detail": one.detail} for one in results]
    await uow.conn.execute(sa.update(kept.items).where(*where).values(done_at=uow.now, **values), rows)


async def forget(uow: UnitOfWork, kept: Tables, old: sa.ColumnElement[bool]) -> None:
    """Delete campaigns of every tenant, with their items."""
    gone = sa.delete(kept.campaigns).where(old).returning(kept.campaigns.c.id).cte("gone")
    await uow.conn.execute(sa.delete(kept.items).where(kept.of.in_(sa.select(gone.c.id))).add_cte(gone))
