"""How fast executions are listed and searched: `python -m bench.search --rows 1000000`.

Fills a database of its own with executions of one tenant (nine in ten completed, one in fifty failed, the rest waiting, running or paused;
200 workflows, a key and an event each, two labels), and asks the route itself, in this process, each question in turn with other values
each time. Prints p50, p95 and the slowest; the database is dropped at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import httpx2
import sqlalchemy as sa
from weft.stack.shared import Membership
from weft_analytics.app import build
from weft_runtime.database.engine import engine
from weft_runtime.testing import running_service

from tests.support.isolation import data_dir, local_stack

WORKFLOWS, TEAMS, CUSTOMERS, STEP = 200, 20, 5_000, 50_000
FILL = """
INSERT INTO analytics.executions (tenant_id, id, workflow, version, status, position, begun, key, labels, trigger_type, event_id, priority,
    started_at, completed_at, duration_ms, error_code, error_message)
SELECT 'bench', gen_random_uuid(), 'workflow-' || n % :workflows, 1 + n * 5 / :rows, status, 9, true, 'order-' || n,
    jsonb_build_object('team', 'team' || n % :teams, 'customer', 'customer' || n % :customers), 'event', 'event-' || n, 0,
    now() - make_interval(secs => :rows - n), now(), 1000,
    CASE WHEN status = 'failed' THEN 'http_' || 500 + n % 4 END,
    CASE WHEN status = 'failed' THEN 'host h' || n % 1000 || '.example did not answer within 30 s' END
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n,
    LATERAL (SELECT CASE WHEN n % 50 = 7 THEN 'failed' WHEN n % 50 < 3 THEN 'waiting' WHEN n % 1000 = 10 THEN 'running'
        WHEN n % 1000 = 20 THEN 'paused' ELSE 'completed' END AS status) AS of
"""
FILL_SLUGS = """
INSERT INTO analytics.workflows (tenant_id, slug, name, status, revision)
SELECT 'bench', 'workflow-' || n, 'Workflow', 'active', 1 FROM generate_series(0, :workflows - 1) AS n
"""


def questions(rows: int, chance: random.Random) -> dict[str, Callable[[], dict[str, Any]]]:
    """Each kind of question by its name, with new values at every call."""

    def number(below: int) -> int:
        return chance.randrange(below)

    return {
        "newest": dict,
        "workflow": lambda: {"workflow": f"workflow-{number(WORKFLOWS)}"},
        "workflow, version": lambda: {"workflow": f"workflow-{number(WORKFLOWS)}", "version": 1 + number(5)},
        "status failed": lambda: {"status": "failed"},
        "status paused, running": lambda: {"status": ["paused", "running"]},
        "workflow, failed": lambda: {"workflow": f"workflow-{number(WORKFLOWS)}", "status": "failed"},
        "key": lambda: {"key": f"order-{number(rows)}"},
        "label of many": lambda: {"label": f"team=team{number(TEAMS)}"},
        "label of few": lambda: {"label": f"customer=customer{number(CUSTOMERS)}"},
        "label, failed": lambda: {"label": f"team=team{number(TEAMS)}", "status": "failed"},
        "text: key's beginning": lambda: {"q": f"order-{number(rows)}"[:9]},
        "text: label's word": lambda: {"q": f"customer{number(CUSTOMERS)}"},
        "text: common label": lambda: {"q": f"team{number(TEAMS)}"},
        "text: error's words": lambda: {"q": f"h{number(1000)}.example"},
        "text: workflow": lambda: {"q": f"workflow-{number(WORKFLOWS)}"},
        "text: nothing": lambda: {"q": f"nothing{number(rows)}"},
    }


async def fill(database_url: str, rows: int) -> None:
    """Make the rows. database_url: of who may write the read model."""
    filling = engine(database_url, "bench", 600_000, 1)
    async with filling.begin() as connection:
        await connection.execute(sa.text(FILL_SLUGS), {"workflows": WORKFLOWS})
    for first in range(1, rows + 1, STEP):
        async with filling.begin() as connection:
            given = {"rows": rows, "workflows": WORKFLOWS, "teams": TEAMS, "customers": CUSTOMERS}
            await connection.execute(sa.text(FILL), {**given, "first": first, "last": min(rows, first + STEP - 1)})
    async with filling.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(sa.text("VACUUM ANALYZE analytics.executions"))
    await filling.dispose()


async def took_ms(client: httpx2.AsyncClient, query: dict[str, Any]) -> float:
    """One question."""
    began = time.perf_counter()
    answer = await client.get("/api/v1/executions", params=query)
    assert answer.status_code == 200, answer.text
    return 1000 * (time.perf_counter() - began)


async def main(rows: int, times: int) -> None:
    """Fill, ask, print."""
    member = Membership(data_dir())
    stack = local_stack(member)
    url = stack.new_database()
    try:
        async with running_service(build, url) as service:
            began = time.perf_counter()
            await fill(service.context.settings.database_url.get_secret_value(), rows)
            print(
                f"{rows} executions, made in {time.perf_counter() - began:.0f} s; each question {times} times, the first one not counted\n"
            )
            print(f"{'question':<26}{'p50 ms':>9}{'p95 ms':>9}{'slowest':>9}")
            client = service.client("bench", ["viewer"])
            for name, ask in questions(rows, random.Random(7)).items():
                await took_ms(client, ask())
                measured = sorted([await took_ms(client, ask()) for _ in range(times)])
                print(f"{name:<26}{measured[times // 2]:>9.1f}{measured[int(times * 0.95)]:>9.1f}{measured[-1]:>9.1f}", flush=True)
    finally:
        stack.drop_database(url)
        stack.close()
        member.leave()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="bench.search", description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--times", type=int, default=100)
    given = asked.parse_args()
    asyncio.run(main(given.rows, given.times))
