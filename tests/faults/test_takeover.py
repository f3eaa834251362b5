"""How soon a new owner goes on with what a dead one left: measured against the clock, with the machine to itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.faults.mesh import mesh_of
from tests.faults.verdict import assert_nothing_lost_or_doubled, rows

LEASE = {"WEFT_LEASE_S": "2.0", "WEFT_BEAT_S": "0.3"}
PROGRESS_WITHIN_S = 2.0
WITHIN_S = 40.0


async def test_a_new_owner_goes_on_within_two_seconds_and_wakes_what_waits(database_url: str, broker_url: str, tmp_path: Path) -> None:
    async with mesh_of(database_url, broker_url, tmp_path, **LEASE) as mesh:
        worker = mesh.spawn("worker")
        engine = await mesh.start("engine")
        await worker.up()
        await mesh.publish_workflows()
        await mesh.probe(WITHIN_S)
        napping = await mesh.begin("nap", 100)
        busy = await mesh.begin("remote3", 500)
        await mesh.ended_at_least(30, WITHIN_S)
        await engine.kill()
        killed_at = datetime.now(UTC)
        while_away = await mesh.begin("remote3", 200)
        heir = await mesh.start("engine")
        await mesh.done([*napping, *busy, *while_away], WITHIN_S)
        (first,) = await rows(mesh, "SELECT min(at) AS at FROM engine.journal WHERE at > $1", killed_at)
        assert first["at"].timestamp() - heir.up_at <= PROGRESS_WITHIN_S
        expected = dict.fromkeys(mesh.asked, ("a", "b", "c")) | dict.fromkeys(napping, ("a",))
        verdict = await assert_nothing_lost_or_doubled(mesh, expected)
        assert verdict.resent == 0
