"""Executions listed and searched, always of one tenant and along an index."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from weft_runtime.uow import UnitOfWork

from weft_analytics.domain import Execution
from weft_analytics.store.hearing import execution
from weft_analytics.tables import LABEL_NAMES, WORDS, workflows
from weft_analytics.tables import own_executions as table

Condition = sa.ColumnElement[bool]
_WORD: Final = re.compile(r"\w+")
CHILDREN_MOST: Final = 100
_MOST_SLUGS: Final = 200
_MOST: Final = 201
"""Rows of the longest page, and one to tell that there is more."""
_FEW: Final = 3_000
"""So many are sorted in some milliseconds; of a million rows, of which more fit, a page is met within a few thousand."""
_WALKED: Final = 3_000
"""So many of the newest are looked through for a word that is likely common: a page of one in fifty is among them."""
_plan_anew: Final = sa.select(sa.func.set_config("plan_cache_mode", "force_custom_plan", True))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which executions. since, until: of their start.  version: of `workflow`.  started_by: a user's or key's id.

    labels: values by name, None for any.

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
    started_by: str | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    q: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """How many executions of all tenants about have each of the words that most have, as PostgreSQL counted them when it last looked.

    The counts may be old or wrong, so nothing but the way to an answer follows from them.
    """

    counts: Mapping[str, float] = field(default_factory=dict)

    def many(self, beginnings: Sequence[str]) -> bool:
        """Whether many executions have words that begin so, each of these."""
        return bool(beginnings) and all(self._count(one.lower()) > _FEW for one in beginnings)

    def _count(self, beginning: str) -> float:
        return sum(count for word, count in self.counts.items() if word.startswith(beginning))


NO_WORDS: Final = Words()


async def common_words(uow: UnitOfWork) -> Words:
    """What the statistics say of words. They are of all tenants together, and only who owns the schema may read them."""
    found = (await uow.conn.execute(_COMMON)).one_or_none()
    return NO_WORDS if found is None else Words({word: share * found.rows for word, share in zip(found.words, found.shares, strict=False)})


_COMMON: Final = sa.text(
    "SELECT CAST(CAST(s.most_common_elems AS text) AS text[]) AS words, s.most_common_elem_freqs AS shares, c.reltuples AS rows "
    "FROM pg_stats s JOIN pg_class c ON c.oid = CAST('analytics.executions_words' AS regclass) "
    "WHERE s.schemaname = 'analytics' AND s.tablename = 'executions_words' AND s.most_common_elems IS NOT NULL"
)
"""The shares are followed by the least, the largest and that of null, which are of no word."""


async def listed(
    uow: UnitOfWork, wanted: Filter, *, after: tuple[Any, ...] | None, limit: int, common: Words = NO_WORDS
) -> list[Execution]:
    """Executions that fit, the latest started first. after: (started_at, id) of the last one seen.

    common: what is known of words. One that tens of thousands have costs the reading of its whole list in the index before the first of
    them is met; of one that is common a page is likely among the newest, and that is looked at first.
    """
    # Which index is best depends on what is asked for: how old the version is, how common the beginning of a key.
    await uow.conn.execute(_plan_anew)
    where = [table.c.tenant_id == uow.tenant, *_conditions(wanted)]
    if after is not None:
        where.append(sa.tuple_(table.c.started_at, table.c.id) < sa.tuple_(*map(sa.literal, after)))
    text = (wanted.q or "").strip()
    if wanted.labels:
        where.append(_labelled(wanted.labels) if text else await _newest_labelled(uow, where, wanted.labels))
    if text:
        # Each place has an index of its own, which one condition over all could not use: the newest of each, and of those the newest.
        page = None if wanted.labels or not common.many(_WORD.findall(text)) else limit
        places = await _places(uow, where, text, page)
        found = sa.union(*(_newest(sa.select(table.c.id).where(*where, place), limit) for place in places))
        where = [table.c.tenant_id == uow.tenant, table.c.id.in_(sa.select(found.subquery().c.id))]
    return [execution(row) for row in await uow.conn.execute(_newest(sa.select(table).where(*where), limit))]


async def children(uow: UnitOfWork, parents: Sequence[UUID]) -> Mapping[UUID, list[UUID]]:
    """The executions that each of some has called, the oldest `CHILDREN_MOST` first; those that called none are left out."""
    asked = sa.select(sa.func.unnest(sa.literal(list(parents), ARRAY(sa.Uuid))).label("id")).subquery("asked")
    mine = sa.select(table.c.id, table.c.started_at).where(table.c.tenant_id == uow.tenant, table.c.parent == asked.c.id)
    called = mine.order_by(table.c.started_at, table.c.id).limit(CHILDREN_MOST).lateral("called")
    query = sa.select(asked.c.id, called.c.id).select_from(asked.join(called, sa.true())).order_by(called.c.started_at, called.c.id)
    found: dict[UUID, list[UUID]] = {}
    for parent, child in await uow.conn.execute(query):
        found.setdefault(parent, []).append(child)
    return found


async def _few(uow: UnitOfWork, where: Sequence[Condition], condition: Condition) -> list[UUID] | None:
    """The newest executions that fit, where few do at all; None where many do.

    PostgreSQL cannot tell the two apart by its statistics of words, of JSON and of what begins alike: few are found by the index and
    sorted, many are met soon enough on the way from the newest one back.
    """
    chosen = sa.select(table.c.id, table.c.started_at).where(*where, condition).limit(_FEW + 1)
    hits = chosen.cte("hits").prefix_with("MATERIALIZED")
    many = sa.select(sa.func.count()).select_from(hits).scalar_subquery()
    newest = sa.select(hits.c.id, many.label("many")).order_by(hits.c.started_at.desc(), hits.c.id.desc()).limit(_MOST)
    rows = (await uow.conn.execute(newest)).all()
    return None if rows and rows[0].many > _FEW else [row.id for row in rows]


async def _among_the_newest(uow: UnitOfWork, where: Sequence[Condition], query: sa.ColumnElement[Any], page: int) -> list[UUID] | None:
    """The newest executions with these words, where the newest of all hold a whole page of them; None where they do not."""
    read = (table.c.id, table.c.started_at, table.c.labels, table.c.error_code, table.c.error_message)
    newest = _newest(sa.select(*read).where(*where), _WALKED).subquery()
    have = sa.select(newest.c.id).where(sa.literal_column(WORDS).op("@@")(query))
    rows = await uow.conn.execute(have.order_by(newest.c.started_at.desc(), newest.c.id.desc()).limit(page))
    found = list(rows.scalars())
    return found if len(found) == page else None


def _labelled(labels: Mapping[str, str | None]) -> Condition:
    names = sa.literal_column(LABEL_NAMES, JSONB)
    return sa.and_(_have(labels, table.c.labels, names), table.c.labels != sa.text("'{}'::jsonb"))


async def _newest_labelled(uow: UnitOfWork, where: Sequence[Condition], labels: Mapping[str, str | None]) -> Condition:
    few = await _few(uow, where, _labelled(labels))
    if few is not None:
        return table.c.id.in_(few)
    unindexed = sa.literal_column("(labels || '{}'::jsonb)", JSONB)
    return _have(labels, unindexed, unindexed)


def _have(labels: Mapping[str, str | None], values: sa.ColumnElement[Any], names: sa.ColumnElement[Any]) -> Condition:
    """That each label is there. values, names: where they are looked for."""
    given = {name: value for name, value in labels.items() if value is not None}
    found = [values.contains(sa.cast(given, JSONB))] if given else []
    return sa.and_(*found, *(names.op("?")(name) for name, value in labels.items() if value is None))


def _newest(query: sa.Select[Any], limit: int) -> sa.Select[Any]:
    return query.order_by(table.c.started_at.desc(), table.c.id.desc()).limit(limit)


def _conditions(wanted: Filter) -> list[Condition]:
    found: list[Condition] = []
    equal = {
        "workflow": wanted.workflow,
        "key": wanted.key,
        "event_id": wanted.event_id,
        "parent": wanted.parent,
        "version": wanted.version,
        "user": wanted.started_by,
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
    return found


async def _places(uow: UnitOfWork, where: Sequence[Condition], text: str, page: int | None) -> list[Condition]:
    """Where a text is looked for: one condition a place, each along its own index.

    page: how many executions are wanted, to be looked for among the newest first; None not to do so.
    """
    try:
        # Keys and the ids of events are often such ids, too.
        return [table.c.id == UUID(text), sa.and_(table.c.key == text, table.c.key.is_not(None)),
                sa.and_(table.c.event_id == text, table.c.event_id.is_not(None))]  # fmt: skip
    except ValueError:
        pass
    slugs = sa.select(workflows.c.slug).where(workflows.c.tenant_id == uow.tenant, workflows.c.slug.startswith(text, autoescape=True))
    found = list((await uow.conn.execute(slugs.limit(_MOST_SLUGS))).scalars())
    # One that nothing was heard of but its executions is found by its whole slug.
    places: list[Condition] = [table.c.workflow.in_([*found, text])]
    for column in (table.c.key, table.c.event_id):
        begins = sa.and_(column.startswith(text, autoescape=True), column.is_not(None))
        few = await _few(uow, where, begins)
        places.append(begins if few is None else table.c.id.in_(few))
    words = _WORD.findall(text)
    if words:
        query = sa.func.to_tsquery(sa.text("'simple'"), " & ".join(f"'{word}':*" for word in words))
        has_words = sa.or_(table.c.labels != sa.text("'{}'::jsonb"), table.c.error_message.is_not(None))
        indexed = sa.and_(sa.literal_column(WORDS).op("@@")(query), has_words)
        newest = None if page is None else await _among_the_newest(uow, where, query, page)
        if newest is not None:
            return [*places, table.c.id.in_(newest)]
        few = await _few(uow, where, indexed)
        unindexed = sa.and_(sa.literal_column(f"({WORDS} || ''::tsvector)").op("@@")(query), has_words)
        places.append(unindexed if few is None else table.c.id.in_(few))
    return places
