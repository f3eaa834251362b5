"""The verdict after a fault, from the journal and the fake service: what was lost, doubled or never asked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from tests.faults.ledger import Ledger
from tests.faults.mesh import Mesh

_STEPS = """
SELECT j.execution_id, e->>'kind' AS kind, coalesce(e->>'node', '') AS node, count(*) AS times
FROM engine.journal j, json_array_elements(j.entries) e
WHERE e->>'kind' IN ('execution.started', 'step.scheduled', 'step.completed', 'step.resent', 'execution.completed')
GROUP BY 1, 2, 3
"""
SEQS = "SELECT partition, seq, count(*) FROM engine.journal GROUP BY 1, 2 HAVING count(*) > 1"
PLACES = """
SELECT execution_id, sum(json_array_length(entries)) AS entries, max(position + json_array_length(entries)) AS length,
       count(*) AS rows, count(DISTINCT position) AS places
FROM engine.journal GROUP BY 1
HAVING sum(json_array_length(entries)) <> max(position + json_array_length(entries)) OR count(*) <> count(DISTINCT position)
"""


@dataclass(frozen=True)
class Verdict:
    """What a fault came to. doubled: entries that an execution has more than once.  resent: requests the engine sent again.

    repeats: calls at the fake service beyond the first of their key: allowed, outside effects happen at least once.
    """

    completed: int
    missing: int
    doubled: list[tuple[UUID, str, str, int]]
    torn: list[Any]
    phantoms: set[str]
    unseen: set[str]
    resent: int
    repeats: int


async def rows(mesh: Mesh, query: str, *given: Any) -> list[Any]:
    """What a query finds in the engine's database."""
    connection = await asyncpg.connect(mesh.database_url)
    try:
        return list(await connection.fetch(query, *given))
    finally:
        await connection.close()


async def judge(mesh: Mesh, expected: Mapping[UUID, Sequence[str]]) -> Verdict:
    """Compare what happened with what had to. expected: the remote steps of each execution."""
    found = await rows(mesh, _STEPS)
    counted = {(row["execution_id"], row["kind"], row["node"]): row["times"] for row in found}
    once = [key for key in counted if key[1] != "step.resent"]
    wanted = {(execution, "step.completed", node) for execution, nodes in expected.items() for node in nodes}
    ends = {(execution, kind, "") for execution in expected for kind in ("execution.started", "execution.completed")}
    seen = {key.rsplit(":", 1)[0] for key in mesh.ledger.calls}
    due = {f"{execution}:{node}" for execution, nodes in expected.items() for node in nodes}
    return Verdict(
        completed=sum(1 for execution, kind, _ in counted if kind == "execution.completed" and execution in expected),
        missing=len((wanted | ends) - counted.keys()),
        doubled=[(*key, counted[key]) for key in once if counted[key] > 1],
        torn=[tuple(row) for row in [*await rows(mesh, SEQS), *await rows(mesh, PLACES)]],
        phantoms=seen - due if _one_visit(mesh.ledger) else set(mesh.ledger.calls),
        unseen=due - seen,
        resent=sum(times for (_, kind, _), times in counted.items() if kind == "step.resent"),
        repeats=mesh.ledger.repeats,
    )


def _one_visit(ledger: Ledger) -> bool:
    """Whether each step had one key, whatever was repeated."""
    return len({key.rsplit(":", 1)[0] for key in ledger.calls}) == len(ledger.calls)


async def assert_nothing_lost_or_doubled(mesh: Mesh, expected: Mapping[UUID, Sequence[str]]) -> Verdict:
    """Every execution completed, each step once, each effect under its one key. Returns the verdict for what it counts."""
    assert Counter(mesh.ended[execution] for execution in expected) == {"execution.completed": len(expected)}
    verdict = await judge(mesh, expected)
    assert verdict.completed == len(expected)
    assert verdict.missing == 0
    assert verdict.doubled == []
    assert verdict.torn == [], "a seq or a position was written twice"
    assert verdict.unseen == set()
    assert verdict.phantoms == set()
    return verdict


def outcome(kind: str, data: dict[str, Any]) -> str:
    """An end as predictions tell it."""
    code = data["error"]["code"] if data.get("error") else None
    return json.dumps([kind.removeprefix("execution."), data.get("output"), code], sort_keys=True)


def counted(visits: set[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """How often each node was visited."""
    nodes = sorted({node for node, _ in visits})
    return tuple((node, sum(one == node for one, _ in visits)) for node in nodes)
