"""The worker: three kinds of job, each putting in the next; the last keeps the result and says so."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import timedelta

import asyncpg
import uvloop
from pgqueuer import AsyncpgPoolDriver, Job, PgQueuer, Queries

from bench.peers.driving import Batches
from bench.peers.peer import database_url, say_ready

ENDS = "bench_ends"
FOLLOWING = {"a": "b", "b": "c"}
# Tuned: jobs are taken 100 at a time (default 10), which is also how many finished ones are logged with one statement; what
# jobs put in at the same time goes in with one statement, as PgQueuer's `enqueue` offers for many jobs.
BATCH = 100
# A notification carries at most 8,000 bytes.
NOTIFIED = 200
SCHEMA = "CREATE TABLE IF NOT EXISTS bench_results (execution_id text PRIMARY KEY, result jsonb NOT NULL)"
KEEP = (
    "WITH kept AS (INSERT INTO bench_results SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT DO NOTHING) SELECT pg_notify($3, $4)"
)


async def main() -> None:
    pool = await asyncpg.create_pool(database_url(), min_size=4, max_size=8)
    queries = Queries(AsyncpgPoolDriver(pool))
    await queries.install()
    await queries.optimize_autovacuum()
    await pool.execute(SCHEMA)
    application = PgQueuer(AsyncpgPoolDriver(pool))

    async def put_in(jobs: list[tuple[str, bytes]]) -> None:
        await queries.enqueue([name for name, _ in jobs], [payload for _, payload in jobs], [0] * len(jobs))

    async def keep(payloads: list[bytes]) -> None:
        for first in range(0, len(payloads), NOTIFIED):
            documents = [json.loads(payload) for payload in payloads[first : first + NOTIFIED]]
            ids = [document["id"] for document in documents]
            await pool.execute(KEEP, ids, [json.dumps(document["amount"]) for document in documents], ENDS, ",".join(ids))

    following, results = Batches(put_in), Batches(keep)

    async def step(job: Job) -> None:
        assert job.payload is not None
        payload = json.dumps(json.loads(job.payload)).encode()
        if next_ := FOLLOWING.get(job.entrypoint):
            await following.add((next_, payload))
        else:
            await results.add(payload)

    for name in ("a", "b", "c"):
        application.entrypoint(name)(step)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, application.shutdown.set)
    say_ready()
    await application.run(batch_size=BATCH, dequeue_timeout=timedelta(seconds=5))
    await pool.close()


if __name__ == "__main__":
    uvloop.run(main())
