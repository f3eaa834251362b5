"""Executions listed and searched, always of one tenant and along an index."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from weft_runtime.uow import UnitOfWork

from weft_analytics.domain import Execution
from weft_analytics.store.hearing import execution
from weft_analytics.tables import WORDS, workflows
from weft_analytics.tables import own_executions as table

_WORD: Final = re.compile(r"\w+")
_MOST_SLUGS: Final = 200
_plan_anew: Final = sa.select(sa.func.set_config("plan_cache_mode", "force_custom_plan", True))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which executions. since, until: of their start.  version: of `workflow`.

    q: an id, or the beginning of a key, an event's id or a workflow's slug, or the beginnings of words in labels and errors.
    """

    workflow: str | None = None
    version: int | None = None
    statuses: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    key: str | None = None
    event_id: str | None = None
    parent: UUID | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    q: str | None = None


async def listed(uow: UnitOfWork, wanted: Filter, *, after: tuple[Any, ...] | None, limit: int) -> list[Execution]:
    """Executions that fit, the latest started first. after: (started_at, id) of the last one seen."""
    # Which index is best depends on what is asked for: how common the text or the label is, how old the version.
    await uow.conn.execute(_plan_anew)
    where = [table.c.tenant_id == uow.tenant, *_conditions(wanted)]
    if after is not None:
        where.append(sa.tuple_(table.c.started_at, table.c.id) < sa.tuple_(*map(sa.literal, after)))
    text = (wanted.q or "").strip()
    if text:
        # Each place has an index of its own, which one condition over all could not use: the newest of each, and of those the newest.
        found = sa.union(*(_newest(sa.select(table.c.id).where(*where, place), limit) for place in await _places(uow, text)))
        where = [table.c.tenant_id == uow.tenant, table.c.id.in_(sa.select(found.subquery().c.id))]
    return [execution(row) for row in await uow.conn.execute(_newest(sa.select(table).where(*where), limit))]


def _newest(query: sa.Select[Any], limit: int) -> sa.Select[Any]:
    return query.order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    equal = {
        "workflow": wanted.workflow,
        "key": wanted.key,
        "event_id": wanted.event_id,
        "parent": wanted.parent,
        "version": wanted.version,
    }
    found += [table.c[name] == value for name, value in equal.items() if value is not None]
    if wanted.statuses:
        found.append(table.c.status.in_(wanted.statuses))
        if "completed" not in wanted.statuses:
            # Says what the partial index over everything else needs to be told to be used.
            found.append(table.c.status != "completed")
    if wanted.since is not None:
        found.append(table.c.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.started_at < wanted.until)
    if wanted.labels:
        found += [table.c.labels.contains(sa.cast(dict(wanted.labels), JSONB)), table.c.labels != sa.text("'{}'::jsonb")]
    return found


async def _places(uow: UnitOfWork, text: str) -> list[sa.ColumnElement[bool]]:
    """Where a text is looked for: one condition a place, each along its own index."""
    try:
        return [table.c.id == UUID(text)]
    except ValueError:
        pass
    slugs = sa.select(workflows.c.slug).where(workflows.c.tenant_id == uow.tenant, workflows.c.slug.startswith(text, autoescape=True))
    found = list((await uow.conn.execute(slugs.limit(_MOST_SLUGS))).scalars())
    places: list[sa.ColumnElement[bool]] = [
        sa.and_(table.c.key.startswith(text, autoescape=True), table.c.key.is_not(None)),
        sa.and_(table.c.event_id.startswith(text, autoescape=True), table.c.event_id.is_not(None)),
        table.c.workflow.in_([*found, text]),  # one that nothing was heard of but its executions is found by its whole slug
    ]
    words = _WORD.findall(text)
    if words:
        query = sa.func.to_tsquery(sa.text("'simple'"), " & ".join(f"'{word}':*" for word in words))
        has_words = sa.or_(table.c.labels != sa.text("'{}'::jsonb"), table.c.error_message.is_not(None))
        places.append(sa.and_(sa.literal_column(WORDS).op("@@")(query), has_words))
    return places
