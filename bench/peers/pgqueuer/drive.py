"""Puts in the first job of each execution and hears of the last one's result."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import asyncpg
import uvloop
from pgqueuer import AsyncpgPoolDriver, Queries

from bench.peers.driving import Batches, Ends, drive
from bench.peers.peer import database_url
from bench.peers.pgqueuer.worker import ENDS


async def main() -> None:
    pool = await asyncpg.create_pool(database_url(), min_size=2, max_size=4)
    queries = Queries(AsyncpgPoolDriver(pool))
    ends, names = Ends(), count()

    def hear(connection: Any, process: int, channel: str, payload: object) -> None:
        for name in str(payload).split(","):
            ends.ended(name)

    async def put_in(payloads: list[bytes]) -> None:
        await queries.enqueue(["a"] * len(payloads), payloads, [0] * len(payloads))

    starts = Batches(put_in)

    async def execute(workload: str) -> None:
        name = f"x{next(names)}"
        end = ends.expect(name)
        await starts.add(json.dumps({"id": name, "amount": 42}).encode())
        await end

    async with pool.acquire() as listening:
        await listening.add_listener(ENDS, hear)
        await drive(execute)
        await listening.remove_listener(ENDS, hear)
    await pool.close()


if __name__ == "__main__":
    uvloop.run(main())
