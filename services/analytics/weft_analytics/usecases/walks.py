"""What nodes took, and which ways executions went: the questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from weft_contracts.walks import PATH_GOES_ON
from weft_runtime.uow import UnitOfWork

from weft_analytics.histogram import percentiles, value_of
from weft_analytics.store import walks as store
from weft_analytics.usecases.known import require_workflow
from weft_analytics.walks import OTHER_WAYS, is_cut
from weft_analytics.window import Window

Percentiles = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class NodeNumbers:
    """What a node took. run_ms, wait_ms: percentiles.  total_ms: of running and waiting, all visits together."""

    node: str
    completed: int
    failed: int
    cancelled: int
    retries: int
    run_ms: Percentiles
    wait_ms: Percentiles
    total_ms: float


@dataclass(frozen=True, slots=True)
class Steps:
    """What the nodes of a workflow took. version: that the numbers are of, None for all."""

    workflow: str
    window: Window
    version: int | None
    nodes: Sequence[NodeNumbers]


@dataclass(slots=True)
class Variant:
    """A way. statuses: ends by how they ended."""

    path: list[str]
    cut: bool
    statuses: Counter[str] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Ends of this way."""
        return sum(self.statuses.values())

    @property
    def duration_ms(self) -> Percentiles:
        """Of whole executions."""
        return percentiles(self.times)


@dataclass(frozen=True, slots=True)
class Variants:
    """The ways of a workflow. shown: the commonest, in order.  others: the rest, together."""

    workflow: str
    window: Window
    version: int | None
    count: int
    shown: Sequence[Variant]
    others: Variant


async def steps(workflow: str, window: Window, version: int | None, uow: UnitOfWork) -> Steps:
    """What the nodes of a workflow took. Raises: WorkflowUnknown."""
    await require_workflow(workflow, uow)
    times = await store.times(uow, window, workflow, version)
    found = []
    for row in await store.nodes(uow, window, workflow, version):
        run, wait = times.get((row.node, False), {}), dict(times.get((row.node, True), {}))
        total_ms = sum(value_of(bucket) * count for one in (run, wait) for bucket, count in one.items())
        wait[0] = wait.get(0, 0) + max(0, sum(run.values()) - sum(wait.values()))  # only those that waited were counted
        numbers = row.completed, row.failed, row.cancelled, row.retries
        found.append(NodeNumbers(row.node, *numbers, percentiles(run), percentiles(wait), total_ms))
    return Steps(workflow, window, version, found)


async def variants(workflow: str, window: Window, version: int | None, most: int, uow: UnitOfWork) -> Variants:
    """Which ways the executions of a workflow went, the `most` commonest one by one. Raises: WorkflowUnknown."""
    await require_workflow(workflow, uow)
    by_way: dict[UUID, Variant] = {}
    for row in await store.paths(uow, window, workflow, version):
        way = by_way.setdefault(row.way, Variant([], cut=False))
        way.statuses[row.status] += row.n
        way.times[row.bucket] += row.n
    count = sum(way.count for way in by_way.values())
    others = by_way.pop(OTHER_WAYS, Variant([], cut=False))
    ordered = sorted(by_way, key=lambda id_: (-by_way[id_].count, id_))
    for id_ in ordered[most:]:
        others.statuses.update(by_way[id_].statuses)
        others.times.update(by_way[id_].times)
    names = await store.named(uow, workflow, ordered[:most])
    for id_ in ordered[:most]:
        path = names.get(id_, "").split()
        by_way[id_].cut = is_cut(path)
        by_way[id_].path = [node for node in path if node != PATH_GOES_ON]
    return Variants(workflow, window, version, count, [by_way[id_] for id_ in ordered[:most]], others)


async def fold(uow: UnitOfWork) -> int:
    """Add some of what was heard to the numbers. Returns: how many pieces; 0 where there was nothing to add, or another is at it."""
    return await store.fold(uow)


async def forget(kept: timedelta, uow: UnitOfWork) -> None:
    """Keep the numbers of nodes and ways for so long only."""
    await store.forget(uow, int((uow.now - kept).timestamp()))
