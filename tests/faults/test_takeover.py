"""A new owner goes on at once with what a dead one left: it waits neither for the end of a lease nor for the timer of a request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.mesh import NOBODY_WAITS_S, mesh_of
from tests.faults.verdict import assert_nothing_lost_or_doubled, rows

WAITED_FOR_BY_NOBODY = {"WEFT_LEASE_S": str(NOBODY_WAITS_S), "WEFT_RESEND_S": str(NOBODY_WAITS_S)}
WITHIN_S = 90.0


async def test_a_new_owner_goes_on_at_once_and_wakes_what_waits(
    database_url: str, broker_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with mesh_of(database_url, broker_url, tmp_path, WEFT_BEAT_S="0.3", **WAITED_FOR_BY_NOBODY) as mesh:
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
        record_property("went_on_after_s", round(first["at"].timestamp() - heir.up_at, 2))
        await assert_nothing_lost_or_doubled(mesh, dict.fromkeys(mesh.asked, ("a", "b", "c")) | dict.fromkeys(napping, ("a",)))
