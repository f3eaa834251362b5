"""Fairness: how long one tenant's executions take, one at a time, while another's flood of 10,000 stands before the mesh."""

from __future__ import annotations

import asyncio

from bench.load import Load, open_load
from bench.mesh import Mesh
from bench.workloads import Result, measure, publish_workflows, saturating, single

FLOOD = 10_000
DRAIN_S = 300.0


async def fairness(mesh: Mesh, flood: Load, seconds: float) -> Result:
    """The row of the small tenant: its rate and its times; CPU is that of everything, for each of its executions."""
    small = await open_load(mesh.broker_url, "small")
    listening = asyncio.create_task(small.listen())
    await publish_workflows(small)
    await flood.start("remote3", FLOOD)
    flooding = asyncio.create_task(_keep(flood))
    result = await measure(mesh, small, seconds, single(small, "remote3"))
    flooding.cancel()
    listening.cancel()
    await asyncio.gather(flooding, listening, return_exceptions=True)
    async with asyncio.timeout(DRAIN_S):
        await flood.at_most(0)
    await small.bus.close()
    return result


async def _keep(flood: Load) -> None:
    drive = saturating(flood, "remote3", open_=FLOOD)
    while True:
        await drive()
