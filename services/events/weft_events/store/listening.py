"""Visits that wait for events.

An event and a wait for it may come at the same time, in two transactions of which neither sees the other. A lock per tenant orders them:
whoever takes events in holds it shared (`tenant_row_shared`) before it writes them and reads what is waited for, whoever lets a wait begin
holds it alone (`hold_waits`) before it reads what has come. So the one that is later sees what the earlier one has committed: every
statement after the lock has a snapshot of its own (read committed).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from weft_language.compilation import is_glob, pattern_covers
from weft_runtime.uow import UnitOfWork

from weft_events.domain import SCHEDULES, Logged
from weft_events.listening import LOOK_BACK, SCANNED, Changes, Kind, Mark, Visit, Wait, kind_of, value_of
from weft_events.store.copies import lock_key
from weft_events.tables import event


async def hold_waits(uow: UnitOfWork, tenants: Collection[str]) -> None:
    """Wait for the events of these tenants that are being taken in, and let further ones wait until this transaction ends."""
    # In one order everywhere, so that two transactions do not lock each other out.
    for tenant in sorted(tenants):
        await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(*lock_key(tenant))))


async def mark(uow: UnitOfWork, marks: Sequence[Mark]) -> list[tuple[str, UUID, UUID, str]]:
    """Keep what new events can be looked up by. Returns: (tenant, event, execution, name) of the waits they may be for, as they came."""
    if not marks:
        return []
    columns = {
        "tenants": [one.kind.tenant for one in marks],
        "patterns": [one.kind.pattern for one in marks],
        "paths": [one.kind.path for one in marks],
        "values": [one.value for one in marks],
        "ids": [one.id for one in marks],
    }
    found = await uow.conn.execute(_MARK, columns)
    return list(dict.fromkeys((row.tenant_id, row.id, row.execution_id, row.name) for row in found))


async def known_positions(uow: UnitOfWork, visits: Collection[Visit]) -> dict[Visit, int]:
    """The position of the last word that is kept about each visit."""
    rows = await uow.conn.execute(_KNOWN, _columns(sorted(visits)))
    return {Visit(row.tenant_id, row.execution_id, row.node, row.visit): row.position for row in rows}


async def register(uow: UnitOfWork, kinds: Collection[Kind]) -> dict[Kind, UUID | None]:
    """Let the events to come be looked up by these kinds. Returns: the newest event of each that cannot be. Waits are held."""
    if not kinds:
        return {}
    ordered = sorted(kinds)
    columns = {name: [kind[place] for kind in ordered] for place, name in enumerate(("tenants", "patterns", "paths"))}
    await uow.conn.execute(_REGISTER, columns)
    rows = await uow.conn.execute(_REGISTERED, columns)
    return {Kind(row.tenant_id, row.pattern, row.path): row.unmarked_until for row in rows}


async def apply(uow: UnitOfWork, changes: Changes) -> None:
    """Write what some words change."""
    if changes.taken:
        tenants, events, executions = (list(column) for column in zip(*changes.taken, strict=True))
        await uow.conn.execute(_TAKEN, {"tenants": tenants, "ids": events, "executions": executions})
    if changes.gone:
        await uow.conn.execute(_GONE, _columns(sorted(changes.gone)))
    if changes.met:
        await uow.conn.execute(_MET, _columns(sorted(changes.met)))
    rows = list(_rows(changes))
    if rows:
        visits = _columns([visit for visit, *_ in rows])
        named = ("names", "places", "positions", "patterns", "paths", "values")
        given = {name: [row[place] for row in rows] for place, name in enumerate(named, 1)}
        await uow.conn.execute(_OPEN, {**visits, **given, "at": uow.now})


def _rows(changes: Changes) -> Iterator[tuple[Visit, str, int, int, str, str, str]]:
    for visit, word in changes.opened:
        for place, wait in enumerate(word.waits):
            kind = kind_of(visit.tenant, wait)
            yield visit, wait.name, place, word.position, kind.pattern, kind.path, wait.value or ""
    for visit, position in changes.missed:
        yield visit, "", 0, position, "", "", ""


async def look_back(uow: UnitOfWork, waits: Sequence[Wait], unmarked: Mapping[Kind, UUID | None]) -> list[tuple[Wait, Logged]]:
    """Events that came before the waits which they may be for, oldest first for each, at most `LOOK_BACK` of them."""
    if not waits:
        return []
    found: dict[int, set[UUID]] = {place: set() for place in range(len(waits))}
    for row in await uow.conn.execute(_CAME_BEFORE, {**_looked_up(waits), "most": LOOK_BACK}):
        found[row.place].add(row.id)
    for place, wait in enumerate(waits):
        until = unmarked.get(wait.kind)
        if until is not None and until >= wait.since:
            found[place] |= await _scanned(uow, wait, until)
    wanted = [(place, id_) for place, ids in found.items() for id_ in sorted(ids)[:LOOK_BACK]]
    logged = await _logged(uow, {(waits[place].visit.tenant, id_) for place, id_ in wanted})
    return [(waits[place], logged[waits[place].visit.tenant, id_]) for place, id_ in sorted(wanted, key=lambda one: (one[1], one[0]))]


async def _scanned(uow: UnitOfWork, wait: Wait, until: UUID) -> set[UUID]:
    """Events from before the wait's kind was known, which have to be read to be found."""
    query = sa.select(event.c.id, event.c.type, event.c.data).where(
        event.c.tenant_id == wait.visit.tenant, event.c.id >= wait.since, event.c.id <= until
    )
    # What schedules write into the log is no event that anybody waits for.
    query = query.where(event.c.source.not_like(f"{SCHEDULES}%"))
    if not is_glob(wait.kind.pattern):
        query = query.where(event.c.type == wait.kind.pattern)
    rows = await uow.conn.execute(query.order_by(event.c.id).limit(SCANNED))
    return {row.id for row in rows if pattern_covers(wait.kind.pattern, row.type) and value_of(row.data, wait.kind.path) == wait.value}


async def _logged(uow: UnitOfWork, wanted: Collection[tuple[str, UUID]]) -> dict[tuple[str, UUID], Logged]:
    names = [name for name in Logged.__dataclass_fields__ if name != "considered"]
    query = sa.select(event.c.tenant_id, *(event.c[name] for name in names))
    found: dict[tuple[str, UUID], Logged] = {}
    for tenant in sorted({tenant for tenant, _ in wanted}):
        ids = [id_ for whose, id_ in wanted if whose == tenant]
        for row in (await uow.conn.execute(query.where(event.c.tenant_id == tenant, event.c.id.in_(ids)))).mappings():
            found[tenant, row["id"]] = Logged(**{name: row[name] for name in names})
    return found


def _columns(visits: Sequence[Visit]) -> dict[str, list[Any]]:
    named = ("tenants", "executions", "nodes", "visits")
    return {name: [visit[place] for visit in visits] for place, name in enumerate(named)}


def _looked_up(waits: Sequence[Wait]) -> dict[str, list[Any]]:
    return {
        "tenants": [wait.visit.tenant for wait in waits],
        "executions": [wait.visit.execution_id for wait in waits],
        "patterns": [wait.kind.pattern for wait in waits],
        "paths": [wait.kind.path for wait in waits],
        "values": [wait.value for wait in waits],
        "sinces": [wait.since for wait in waits],
    }


_KNOWN = sa.text(
    "SELECT s.tenant_id, s.execution_id, s.node, s.visit, max(s.position) AS position "
    "FROM unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[]), CAST(:nodes AS text[]), CAST(:visits AS integer[])) "
    "AS given (tenant, execution, node, visit) "
    "JOIN events.subscription s ON s.tenant_id = given.tenant AND s.execution_id = given.execution AND s.node = given.node "
    "AND s.visit = given.visit GROUP BY 1, 2, 3, 4"
)
_GONE = sa.text(
    "DELETE FROM events.subscription s "
    "USING unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[]), CAST(:nodes AS text[]), CAST(:visits AS integer[])) "
    "AS given (tenant, execution, node, visit) "
    "WHERE s.tenant_id = given.tenant AND s.execution_id = given.execution AND s.node = given.node AND s.visit = given.visit"
)
_MET = sa.text(
    "DELETE FROM events.subscription s "
    "USING unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[]), CAST(:nodes AS text[]), CAST(:visits AS integer[])) "
    "AS given (tenant, execution, node, visit) "
    "WHERE s.tenant_id = given.tenant AND s.execution_id = given.execution AND s.node = given.node AND s.visit = given.visit "
    "AND s.name = ''"
)
_OPEN = sa.text(
    "INSERT INTO events.subscription "
    "(tenant_id, execution_id, node, visit, name, place, position, pattern, path, value, opened_at) "
    "SELECT given.*, CAST(:at AS timestamptz) FROM unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[]), CAST(:nodes AS text[]), "
    "CAST(:visits AS integer[]), CAST(:names AS text[]), CAST(:places AS integer[]), CAST(:positions AS integer[]), "
    "CAST(:patterns AS text[]), CAST(:paths AS text[]), CAST(:values AS text[])) AS given ON CONFLICT DO NOTHING"
)
_TAKEN = sa.text(
    "INSERT INTO events.delivery (tenant_id, id, execution_id) SELECT * FROM unnest("
    "CAST(:tenants AS text[]), CAST(:ids AS uuid[]), CAST(:executions AS uuid[])) ON CONFLICT DO NOTHING"
)
_REGISTER = sa.text(
    "INSERT INTO events.listened (tenant_id, pattern, path, unmarked_until) SELECT given.tenant, given.pattern, given.path, "
    "(SELECT e.id FROM events.event e WHERE e.tenant_id = given.tenant ORDER BY e.id DESC LIMIT 1) "
    "FROM unnest(CAST(:tenants AS text[]), CAST(:patterns AS text[]), CAST(:paths AS text[])) AS given (tenant, pattern, path) "
    "ON CONFLICT DO NOTHING"
)
_REGISTERED = sa.text(
    "SELECT l.tenant_id, l.pattern, l.path, l.unmarked_until FROM events.listened l "
    "JOIN unnest(CAST(:tenants AS text[]), CAST(:patterns AS text[]), CAST(:paths AS text[])) AS given (tenant, pattern, path) "
    "ON l.tenant_id = given.tenant AND l.pattern = given.pattern AND l.path = given.path"
)
# `OFFSET 0` keeps each look-up one of its own, by the index, whatever is known of the table's size.
_MARK = sa.text(
    "WITH given AS (SELECT * FROM unnest(CAST(:tenants AS text[]), CAST(:patterns AS text[]), CAST(:paths AS text[]), "
    "CAST(:values AS text[]), CAST(:ids AS uuid[])) AS given (tenant, pattern, path, value, id)), "
    "marked AS (INSERT INTO events.event_value (tenant_id, pattern, path, value, id) SELECT * FROM given ON CONFLICT DO NOTHING) "
    "SELECT given.tenant AS tenant_id, given.id, s.execution_id, s.name FROM given CROSS JOIN LATERAL ("
    "SELECT s.execution_id, s.name, s.node, s.visit, s.place FROM events.subscription s WHERE s.tenant_id = given.tenant "
    "AND s.pattern = given.pattern AND s.path = given.path AND s.value = given.value OFFSET 0) s "
    "ORDER BY given.id, s.execution_id, s.node, s.visit, s.place"
)
_CAME_BEFORE = sa.text(
    "SELECT given.n - 1 AS place, v.id FROM unnest(CAST(:tenants AS text[]), CAST(:executions AS uuid[]), CAST(:patterns AS text[]), "
    "CAST(:paths AS text[]), CAST(:values AS text[]), CAST(:sinces AS uuid[])) "
    "WITH ORDINALITY AS given (tenant, execution, pattern, path, value, since, n) CROSS JOIN LATERAL ("
    "SELECT v.id FROM events.event_value v WHERE v.tenant_id = given.tenant AND v.pattern = given.pattern AND v.path = given.path "
    "AND v.value = given.value AND v.id >= given.since AND NOT EXISTS (SELECT FROM events.delivery d WHERE d.tenant_id = given.tenant "
    "AND d.id = v.id AND d.execution_id = given.execution) ORDER BY v.id LIMIT :most) v"
)
