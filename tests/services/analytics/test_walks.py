"""What nodes took and which ways executions went: on a real database, through both doors."""

import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from weft_analytics.app import build
from weft_analytics.histogram import percentiles
from weft_analytics.tables import ways
from weft_analytics.usecases import walks
from weft_analytics.walks import WAYS_MOST, Heard, Walks
from weft_contracts.walks import PATH_GOES_ON, bucket_of, shortened
from weft_runtime.testing import RunningService, eventually, running_service, tell

from tests.services.analytics.facts import START, life

SPAN = {"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


def ended(path: tuple[str, ...] = ("a", "b"), end: str = "completed", **more: Any) -> list[Any]:
    """The facts of an execution whose nodes ran 100 ms and waited 2 s each, but for what `steps` says."""
    given = {"path": path, "steps": tuple((node, 1, 0, 0, 0, (bucket_of(100), 1), (bucket_of(2000), 1)) for node in path)}
    facts = life(end, **{name: value for name, value in more.items() if name not in ("steps", "position", "version")})
    other = {"workflow_version": more.get("version", 3), "steps": more.get("steps", given["steps"]), "path": path}
    return [*facts[:-1], facts[-1].model_copy(update=other | ({"position": more["position"]} if "position" in more else {}))]


async def asked(service: RunningService, tenant: str, path: str, **query: Any) -> Any:
    answer = await service.client(tenant, ["viewer"]).get(f"/api/v1{path}", params=SPAN | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def counted(service: RunningService, tenant: str, path: str, count: int, **query: Any) -> Any:
    """What is answered once so many ends are in the numbers."""

    async def look() -> Any:
        async with service.context.owner_transaction() as uow:
            await walks.fold(uow)  # as the service does now and then
        found = await asked(service, tenant, "/analytics/workflows/leave/paths")
        return found if found["count"] == count else None

    await eventually(look, f"{count} ends in the numbers")
    return await asked(service, tenant, path, **query)


async def test_nodes_tell_how_long_they_ran_and_waited_and_where_the_time_goes(service: RunningService) -> None:
    slow = (("a", 2, 1, 1, 4, (bucket_of(100), 2, bucket_of(60_000), 1), ()),)
    await tell(service, *ended(), *ended(steps=slow, path=("a",)), tenant="nodes")
    shown = await counted(service, "nodes", "/analytics/workflows/leave/steps", 2)
    first, second = shown["nodes"]
    assert {name: first[name] for name in ("node", "count", "completed", "failed", "cancelled", "retries")} == {
        "node": "a", "count": 4, "completed": 3, "failed": 1, "cancelled": 1, "retries": 4,
    }  # fmt: skip
    assert first["run_ms"] == {name: pytest.approx(value, rel=0.045) for name, value in (("p50", 100), ("p95", 60_000), ("p99", 60_000))}
    assert first["wait_ms"] == {"p50": 0.0, "p95": pytest.approx(2000, rel=0.045), "p99": pytest.approx(2000, rel=0.045)}
    assert (second["node"], first["share_of_time"], second["share_of_time"]) == (
        "b",
        pytest.approx(0.967, abs=0.005),
        pytest.approx(0.033, abs=0.005),
    )
    assert (shown["from"], shown["to"], shown["workflow"], shown["version"]) == (
        "2026-01-05T00:00:00Z",
        "2026-01-06T00:00:00Z",
        "leave",
        None,
    )


async def test_the_plainest_ways_count_as_if_path_and_numbers_had_been_told(service: RunningService) -> None:
    walk = shortened([("a", 100, 2000), ("b", 100, 2000)])
    short = [life()[-1].model_copy(update={"walk": walk}) for _ in range(3)]
    await tell(service, *short, short[0], *ended(), tenant="plain")
    shown = await counted(service, "plain", "/analytics/workflows/leave/steps", 4)
    assert [(one["node"], one["completed"], one["run_ms"]["p50"], one["wait_ms"]["p50"]) for one in shown["nodes"]] == [
        (node, 4, pytest.approx(100, rel=0.045), pytest.approx(2000, rel=0.045)) for node in ("a", "b")
    ]
    (way,) = (await asked(service, "plain", "/analytics/workflows/leave/paths"))["variants"]
    assert (way["path"], way["count"], way["completed"]) == (["a", "b"], 4, 4)


async def test_ways_are_told_by_how_common_they_are_and_the_rest_is_summed_up(service: RunningService) -> None:
    for _ in range(3):
        await tell(service, *ended(took_ms=4000), tenant="ways")
    await tell(service, *ended(("a",), "failed", took_ms=1000), *ended(("a",), took_ms=1000), *ended(("a", PATH_GOES_ON)), tenant="ways")
    shown = await counted(service, "ways", "/analytics/workflows/leave/paths", 6, limit=2)
    assert [(one["path"], one["count"], one["share"], one["completed"], one["failed"], one["cut"]) for one in shown["variants"]] == [
        (["a", "b"], 3, 0.5, 3, 0, False), (["a"], 2, 0.3333, 1, 1, False),
    ]  # fmt: skip
    assert shown["variants"][0]["duration_ms"]["p50"] == pytest.approx(4000, rel=0.045)
    assert (shown["others"]["count"], shown["others"]["share"]) == (1, 0.1667)
    every = await asked(service, "ways", "/analytics/workflows/leave/paths")
    assert (every["variants"][2]["path"], every["variants"][2]["cut"], every["others"]["count"]) == (["a"], True, 0)


async def test_an_end_counts_once_however_often_it_is_heard_and_one_after_a_retry_counts_too(service: RunningService) -> None:
    id_ = uuid4()
    failed, completed = ended(end="failed", id=id_), ended(("b",), id=id_, position=20)
    await tell(service, *failed, tenant="once")
    await tell(service, *failed, failed[-1], tenant="once")
    await tell(service, completed[-1], completed[-1], failed[-1], tenant="once")
    await tell(service, *ended(), tenant="once")
    shown = await counted(service, "once", "/analytics/workflows/leave/steps", 3)
    assert {one["node"]: one["count"] for one in shown["nodes"]} == {"a": 2, "b": 3}


async def test_versions_spans_and_tenants_are_told_apart(service: RunningService) -> None:
    await tell(service, *ended(version=4), *ended(at=START + timedelta(hours=2)), tenant="apart")
    await tell(service, *life(None), tenant="beside")
    await counted(service, "apart", "/analytics/workflows/leave/steps", 2)

    async def visits(tenant: str = "apart", **query: Any) -> list[int]:
        return [one["count"] for one in (await asked(service, tenant, "/analytics/workflows/leave/steps", **query))["nodes"]]

    assert await visits(version=4) == await visits(to="2026-01-05T09:00:00Z") == [1, 1]
    assert (await visits(), await visits(version=9), await visits("beside")) == ([2, 2], [], [])
    client = service.client("apart", ["viewer"])
    unknown = await client.get("/api/v1/analytics/workflows/nothing/steps")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "workflow_not_found")
    for bad in ({"version": 0}, {"from": "x"}, {"from": SPAN["to"], "to": SPAN["from"]}, {"limit": 201}):
        assert (await client.get("/api/v1/analytics/workflows/leave/paths", params=bad)).status_code == 422
    assert (await service.client("apart", ["nobody"]).get("/api/v1/analytics/workflows/leave/paths")).status_code == 403
    assert (await service.anonymous().get("/api/v1/analytics/workflows/leave/steps")).status_code == 401


async def test_a_workflow_of_endless_ways_keeps_so_many_and_counts_the_others_together(service: RunningService) -> None:
    many = [fact for number in range(WAYS_MOST + 5) for fact in ended((f"n{number}",))[-1:]]
    await tell(service, *many, tenant="endless")
    shown = await counted(service, "endless", "/analytics/workflows/leave/paths", WAYS_MOST + 5, limit=200)
    assert (len(shown["variants"]), shown["others"]["count"]) == (200, WAYS_MOST + 5 - 200)
    async with service.context.owner_transaction() as uow:
        kept = await uow.conn.execute(sa.select(sa.func.count()).where(ways.c.tenant_id == "endless"))
    assert kept.scalar_one() == WAYS_MOST


async def test_numbers_are_kept_for_a_while(service: RunningService) -> None:
    await tell(service, *ended(), tenant="brief")
    await counted(service, "brief", "/analytics/workflows/leave/paths", 1)
    async with service.context.owner_transaction() as uow:
        await walks.forget(uow.now - START + timedelta(hours=1), uow)
    assert (await asked(service, "brief", "/analytics/workflows/leave/paths"))["count"] == 1
    async with service.context.owner_transaction("brief") as uow:
        await walks.forget(uow.now - START - timedelta(hours=2), uow)
    assert (await asked(service, "brief", "/analytics/workflows/leave/paths"))["count"] == 0
    assert (await asked(service, "brief", "/analytics/workflows/leave/steps"))["nodes"] == []


def test_percentiles_of_many_that_were_added_up_are_close_to_the_exact_ones() -> None:
    chosen = random.Random(7)
    exact = [round(chosen.lognormvariate(7, 2)) for _ in range(5000)]
    together = Walks()
    for start in range(0, len(exact), 100):
        some = Heard()
        for took in exact[start : start + 100]:
            some.add(ended(steps=(("a", 1, 0, 0, 0, (bucket_of(took), 1), ()),))[-1])
        together.take(some.told())
    (numbers,) = together.hours.values()
    found = percentiles(Counter({bucket: count for (_, _, bucket), count in numbers.times.items()}))
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert found[name] == pytest.approx(sorted(exact)[int(len(exact) * share) - 1], rel=0.045)
