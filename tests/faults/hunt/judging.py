"""The verdict: each program against the reference interpreter, then everything that the mesh holds against the journals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid5

import asyncpg
from weft_engine.core import entries as e

from tests.engine.programs.generating.maker import Document
from tests.engine.programs.meshed.predicting import Prediction
from tests.engine.programs.meshed.retelling import Told, compare, compare_replayed, retold
from tests.faults.hunt.journals import Journal
from tests.faults.hunt.programs import Program
from tests.faults.ledger import Ledger
from tests.faults.mesh import TENANT
from tests.faults.verdict import PLACES, SEQS, counted, outcome

ROOMS = ("engine", "events", "tasks", "analytics")
_UNSAID = (
    "SELECT count(*) FROM engine.partitions p WHERE published < (SELECT max(seq) FROM engine.journal j WHERE j.partition = p.partition)"
)
_READ = """
SELECT x.id, x.status AS engine, a.status AS analytics FROM engine.executions x FULL JOIN analytics.executions a USING (id)
WHERE x.status IS DISTINCT FROM a.status
"""
_LISTED = """
SELECT t.id, t.status AS tasks, a.status AS analytics FROM tasks.tasks t FULL JOIN analytics.tasks a USING (id)
WHERE t.status IS DISTINCT FROM a.status
"""
_COUNTED = "SELECT sum(completed) AS completed, sum(failed) AS failed, sum(cancelled) AS cancelled, sum(timed_out) AS timed_out"


async def unsettled(connection: asyncpg.Connection) -> list[str]:
    """What is still on its way, parked, or told otherwise by the read model than by the engine; nothing once all is well."""
    found = []
    for schema in ROOMS:
        if count := await connection.fetchval(f"SELECT count(*) FROM {schema}.outbox"):
            found.append(f"{count} in the outbox of {schema}")
        found += [f"parked by {schema}: {dict(row)}" for row in await connection.fetch(f"SELECT * FROM {schema}.parked")]
    if count := await connection.fetchval(_UNSAID):
        found.append(f"{count} partitions have said less than they hold")
    found += [f"{dict(row)}" for row in (*await connection.fetch(_READ), *await connection.fetch(_LISTED))]
    found += [f"written twice: {dict(row)}" for query in (SEQS, PLACES) for row in await connection.fetch(query)]
    rows = await connection.fetch("SELECT status, count(*) AS n FROM engine.executions GROUP BY 1")
    statuses = {row["status"]: row["n"] for row in rows}
    for status, number in (await connection.fetch(f"{_COUNTED} FROM analytics.rollups WHERE grain = 3600"))[0].items():
        if (number or 0) != statuses.get(status, 0):
            found.append(f"the numbers say {number} {status}, the engine {statuses.get(status, 0)}")
    return found


async def wrong(
    connection: asyncpg.Connection, journals: Mapping[UUID, Journal], roots: Mapping[UUID, Program], ledger: Ledger
) -> dict[UUID, str]:
    """What is wrong with executions, by execution. ledger: of the effects that were had."""
    calls: dict[UUID, set[str]] = {}
    for key in ledger.calls:
        calls.setdefault(UUID(key.split(":")[0]), set()).add(key)
    documents = {slug: document for program in roots.values() for slug, document in program.documents.items()}
    found: dict[UUID, str] = {}
    for journal in journals.values():
        try:
            _check(journal, documents[journal.workflow], calls.get(journal.id, set()))
        except (AssertionError, LookupError, TypeError, ValueError, RuntimeError) as error:
            found[journal.id] = f"{type(error).__name__}: {error}"
    for id_, what in (*_predicted(journals, roots, calls), *await _elsewhere(connection, journals, roots)):
        found.setdefault(id_, what)
    return found


def _check(journal: Journal, document: Document, had: set[str]) -> None:
    told = Told(journal.id, journal.entries)
    compare_replayed(told, journal.workflow, document)
    assert told.ended is not None, f"it has not ended: {journal.entries[-1]}"
    done = Counter((entry.node, entry.visit) for entry, _ in journal.entries if entry.kind == e.STEP_COMPLETED)
    assert not [step for step, times in done.items() if times > 1 and not told.retried], f"a step was completed twice: {done}"
    ends = [entry.kind for entry, _ in journal.entries if entry.kind in e.ENDS]
    assert len(ends) == 1 or told.retried, f"it ended more than once: {ends}"
    asked = {f"{journal.id}:{entry.node}:{entry.visit}" for entry, _ in journal.entries if entry.kind == e.STEP_SCHEDULED}
    assert had <= asked, f"effects that nobody asked for: {had - asked}"
    acted = {f"{journal.id}:{entry.node}:{entry.visit}" for entry, _ in journal.entries if _by_worker(entry)}
    assert acted & asked <= had, f"answers without an effect: {acted & asked - had}"
    if not told.retried:
        compare(told, retold(told, document))


def _by_worker(entry: e.Entry) -> bool:
    code = (entry.data.get("error") or {}).get("code")
    return entry.kind == e.STEP_COMPLETED or (entry.kind in (e.STEP_FAILED, e.STEP_RETRYING) and code in ("busy", "broken"))


def _predicted(
    journals: Mapping[UUID, Journal], roots: Mapping[UUID, Program], calls: Mapping[UUID, set[str]]
) -> Iterator[tuple[UUID, str]]:
    """Programs whose end was known before they began."""
    for program in roots.values():
        for id_, prediction in (program.predicted or {}).items():
            found = as_predicted(journals[id_], calls.get(id_, set())) if id_ in journals else None
            if found != prediction:
                yield id_, f"expected {prediction}, got {found}"


def as_predicted(journal: Journal, had: set[str]) -> Prediction | None:
    """How an execution ended, in the words of predictions; None while it lives."""
    end = Told(journal.id, journal.entries).ended
    if end is None:
        return None
    visits = {
        (entry.node or "", entry.visit)
        for entry, _ in journal.entries
        if entry.visit and entry.node and not entry.node.endswith(".compensate")
    }
    events = frozenset(entry.data["event_id"] for entry, _ in journal.entries if entry.kind == e.EVENT_PUBLISHED)
    return Prediction(outcome(end.kind, end.data), frozenset(had), counted(visits), events)


async def _elsewhere(
    connection: asyncpg.Connection, journals: Mapping[UUID, Journal], roots: Mapping[UUID, Program]
) -> list[tuple[UUID, str]]:
    """What other rooms hold that no journal tells of, or not, or twice."""
    found: list[tuple[UUID, str]] = []
    children = {
        UUID(entry.data["child_id"]): journal.id
        for journal in journals.values()
        for entry, _ in journal.entries
        if entry.kind == e.CHILD_CALLED or (entry.kind == e.STEP_WAITING and entry.data.get("kind") == "child")
    }
    found += [(id_, "an execution that nobody asked for") for id_ in journals.keys() - roots.keys() - children.keys()]
    found += [(id_, "an accepted start that is nowhere") for id_ in roots.keys() - journals.keys()]
    found += [(children[id_], f"its call of {id_} is nowhere") for id_ in children.keys() - journals.keys()]
    found += _of_tasks(journals, await connection.fetch("SELECT id, execution_id, status, outcome FROM tasks.tasks"))
    published = Counter(
        {str(entry.data["event_id"]): 1 for journal in journals.values() for entry, _ in journal.entries if entry.kind == e.EVENT_PUBLISHED}
    )
    heard = await connection.fetch("SELECT event_id FROM events.event WHERE type = 'test.happened' AND tenant_id = $1", TENANT)
    if published != (logged := Counter(row["event_id"] for row in heard)):
        found.append((UUID(int=0), f"events lost: {published - logged}, events too many: {logged - published}"))
    return found


def _of_tasks(journals: Mapping[UUID, Journal], rows: list[Any]) -> Iterator[tuple[UUID, str]]:
    known = {row["id"]: row for row in rows}
    for journal in journals.values():
        done: dict[tuple[str, int], str | None] = {}
        for entry, _ in journal.entries:
            place = (entry.node or "", entry.visit)
            if entry.kind == e.STEP_WAITING and entry.data.get("kind") == "task":
                done[place] = None
            elif entry.kind == e.STEP_COMPLETED and place in done:
                done[place] = entry.data.get("outcome")
        for (node, visit), outcome_ in done.items():
            row = known.pop(uuid5(journal.id, f"task:{node}:{visit}"), None)
            if row is None and outcome_ is None:
                continue  # taken back before it came
            if row is None or row["status"] in ("open", "claimed") or (outcome_ is not None and row["outcome"] != outcome_):
                yield journal.id, f"task of {node}#{visit}, {outcome_ or 'taken back'}, is {row and dict(row)}"
    for row in known.values():
        yield row["execution_id"], f"a task that nobody asked for: {dict(row)}"
