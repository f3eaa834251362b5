"""kill -9 of the engine that runs a bulk job or a migration: the next one goes on where it was, and each execution is asked once."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import TestIssuer
from weft_runtime.testing.polling import eventually

from tests.faults import warm
from tests.faults.mesh import TENANT, Mesh, Node, mesh_of
from tests.faults.verdict import rows

MANY = 420
"""Executions: more than twice what is on its way at once, so that there is a look before and one after the one that dies."""
WITHIN_S = 90.0


def resting(slug: str, node: str) -> dict[str, Any]:
    """A workflow that rests at one place, takes the signal `go` there, and comes back to it: what comes twice is seen as a visit more."""
    nodes = [{"id": node, "type": "state", "with": {"signals": {"go": {}}}}]
    return {"format": "weft/v1", "slug": slug, "name": slug, "nodes": nodes, "edges": [{"from": node, "to": node, "on": "go"}]}


@dataclass
class Fleet:
    """A mesh of one engine, and what a test asks it for. engine: the one that lives."""

    mesh: Mesh
    issuer: TestIssuer
    engine: Node

    async def will_die(self, point: str, after: int) -> None:
        """Let the engine die at a point, once it has passed it so often."""
        told = self.engine.ready.with_suffix(".at")
        told.write_text(f"{point} {after}")
        self.engine.signal(signal.SIGUSR2)

        async def taken_up() -> bool | None:
            return None if told.exists() else True

        await eventually(taken_up, "the engine knowing where to die")

    async def dies(self) -> None:
        """Wait until it has."""
        await self.engine.died()

    async def inherit(self) -> None:
        """Another engine, in the place of the one that died."""
        self.engine = await self.mesh.start("engine")

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of the engine's HTTP door."""
        url = f"http://127.0.0.1:{self.engine.ready.read_text()}/api/v1{path}"
        async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            answer = await client.request(method, url, json=body, headers=self.issuer.headers(TENANT))
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def rest(self, slug: str) -> list[UUID]:
        """Executions, each at rest."""
        ids = await self.mesh.begin(slug, MANY)
        query = "SELECT count(*) AS n FROM engine.executions WHERE id = ANY($1) AND status = 'waiting'"

        async def all_wait() -> bool | None:
            return True if (await rows(self.mesh, query, ids))[0]["n"] == MANY else None

        await eventually(all_wait, "every execution being at rest", within_s=WITHIN_S)
        return ids

    async def until(self, path: str, *statuses: str) -> Any:
        """What stands at a path once it has come to one of these statuses."""

        async def looked() -> Any:
            shown = await self.ask("GET", path)
            return shown if shown["status"] in statuses else None

        return await eventually(looked, f"{path} coming to {statuses}", within_s=WITHIN_S)

    async def journalled(self, ids: list[UUID], *kinds: str) -> Counter[tuple[str, int]]:
        """How many executions have how many entries of each of these kinds: `{(kind, entries): executions}`."""
        query = """SELECT execution_id, e->>'kind' AS kind, count(*) AS times FROM engine.journal j, json_array_elements(j.entries) e
                   WHERE execution_id = ANY($1) AND e->>'kind' = ANY($2) GROUP BY 1, 2"""
        return Counter((row["kind"], row["times"]) for row in await rows(self.mesh, query, ids, list(kinds)))

    async def settled(self, table: str, of: str, campaign: str) -> Counter[str]:
        """Items by status, each execution once."""
        found = await rows(self.mesh, f"SELECT execution_id, status FROM engine.{table} WHERE {of} = $1", UUID(campaign))
        assert len({row["execution_id"] for row in found}) == len(found) == MANY
        return Counter(row["status"] for row in found)


@pytest.fixture(scope="module")
async def fleet(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    """A mesh whose workflows are known; the engines are each test's own."""
    issuer = TestIssuer()
    keys = json.dumps(issuer.keys.jwks())
    async with mesh_of(database_url, broker_url, tmp_path_factory.mktemp("campaigns"), FAULT_JWKS=keys) as mesh:
        mesh.module = warm.CAMPAIGNS
        fleet = Fleet(mesh, issuer, await mesh.start("engine"))
        for revision, (slug, node) in enumerate([("called", "here"), ("moving", "here"), ("moving", "there")], 1):
            active = 2 if node == "there" else 1
            await mesh.say(
                WorkflowChanged(
                    slug=slug, name=slug, revision=revision, status="active", active_version=active, definition=resting(slug, node)
                )
            )

        async def known() -> bool | None:
            waiting = await rows(mesh, "SELECT 1 FROM engine.outbox")
            return True if len(await rows(mesh, "SELECT 1 FROM engine.definitions")) == 3 and not waiting else None

        await eventually(known, "the engine knowing the workflows", within_s=WITHIN_S)
        yield fleet


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "before_forget"])
async def test_a_bulk_job_whose_engine_dies_gives_each_execution_its_signal_once(fleet: Fleet, point: str) -> None:
    ids = await fleet.rest("called")
    await fleet.will_die(point, 1)
    asked = {"verb": "signal", "filter": {"ids": [str(one) for one in ids]}, "options": {"name": "go"}, "rate_per_s": 1000}
    job = await fleet.ask("POST", "/executions/bulk", asked)
    await fleet.dies()
    before = await fleet.settled("bulk_items", "job_id", job["id"])
    assert before["waiting"], f"it died amid the job: {before}"
    await fleet.inherit()
    done = await fleet.until(f"/bulk/{job['id']}", "completed", "stopped")
    assert (done["status"], done["progress"]) == ("completed", {"waiting": 0, "sent": 0, "ok": MANY, "refused": 0})
    assert await fleet.settled("bulk_items", "job_id", job["id"]) == {"ok": MANY}
    assert await fleet.journalled(ids, "signal.delivered", "step.waiting") == {("signal.delivered", 1): MANY, ("step.waiting", 2): MANY}


async def test_a_migration_whose_engines_die_moves_each_execution_once_and_back_once(fleet: Fleet) -> None:
    kinds, items = ("execution.migrated", "execution.migration_undone"), ("migration_items", "migration_id")
    ids = await fleet.rest("moving")
    await fleet.will_die("judged", 2)
    plan = await fleet.ask("POST", "/workflows/moving/migrations", {"from": 1, "to": 2})
    path = f"/migrations/{plan['id']}"
    await fleet.dies()
    assert await fleet.settled(*items, plan["id"]) == {"planned": 200, "waiting": MANY - 200}
    await fleet.inherit()
    assert (await fleet.until(path, "ready"))["items"] == {"planned": MANY}

    await fleet.will_die("after_commit", 1)
    await fleet.ask("POST", f"{path}/apply")
    await fleet.dies()
    assert (await fleet.settled(*items, plan["id"]))["planned"], "it died amid the moving"
    await fleet.inherit()
    assert (await fleet.until(path, "completed", "halted"))["items"] == {"migrated": MANY}
    assert await fleet.journalled(ids, *kinds) == {("execution.migrated", 1): MANY}

    await fleet.will_die("before_commit", 1)
    await fleet.ask("POST", f"{path}/undo")
    await fleet.dies()
    assert (await fleet.settled(*items, plan["id"]))["migrated"], "it died amid the undoing"
    await fleet.inherit()
    assert (await fleet.until(path, "undone"))["items"] == {"undone": MANY}
    assert await fleet.journalled(ids, *kinds) == {("execution.migrated", 1): MANY, ("execution.migration_undone", 1): MANY}
