"""What nodes took and which ways executions went, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from weft_analytics.schemas import DurationView
from weft_analytics.usecases.walks import NodeNumbers, Steps, Variant, Variants


class WalkQuery(BaseModel):
    """Of which executions. from, to: of their start, whole hours; the last 24 hours where absent."""

    model_config = ConfigDict(extra="ignore")
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    version: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None


class PathQuery(WalkQuery):
    """Of which, and how many ways are shown; what is left is summed up."""

    limit: int = Field(default=20, ge=1, le=200)


class NodeView(BaseModel):
    """A node. count: visits that ended of themselves, completed and failed.  retries: attempts beyond the first of each visit.

    run_ms: of a visit but for the time in which it waited: for a person, a moment, a signal, its next attempt.  wait_ms: that time, 0 for
    those that never did.
    share_of_time: of the running and waiting of all nodes together, 0 to 1, where the heat is.
    """

    node: str
    count: int
    completed: int
    failed: int
    cancelled: int
    retries: int
    run_ms: DurationView
    wait_ms: DurationView
    share_of_time: float


class StepsView(BaseModel):
    """What nodes took in executions that started in a span and have ended, the longest share first. Percentiles are at most 4.4 % off."""

    workflow: str
    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    version: int | None
    nodes: list[NodeView]


class VariantView(BaseModel):
    """A way. path: nodes in the order in which they were begun.  cut: whether it goes on after that.

    count: ends, of which an execution that was retried by hand has several.
    """

    path: list[str]
    cut: bool
    count: int
    share: float
    completed: int
    failed: int
    cancelled: int
    timed_out: int
    duration_ms: DurationView


class OthersView(BaseModel):
    """The ways that are not shown, together."""

    count: int
    share: float
    duration_ms: DurationView


class PathsView(BaseModel):
    """Which ways executions went that started in a span and have ended, the commonest first."""

    workflow: str
    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    version: int | None
    count: int
    variants: list[VariantView]
    others: OthersView


def steps_view(steps: Steps) -> StepsView:
    """What nodes took, as the API shows it."""
    whole = sum(one.total_ms for one in steps.nodes)
    return StepsView(
        workflow=steps.workflow,
        since=steps.window.begins,
        until=steps.window.ends,
        version=steps.version,
        nodes=[_node(one, whole) for one in sorted(steps.nodes, key=lambda one: (-one.total_ms, one.node))],
    )


def _node(one: NodeNumbers, whole_ms: float) -> NodeView:
    return NodeView(
        node=one.node,
        count=one.completed + one.failed,
        completed=one.completed,
        failed=one.failed,
        cancelled=one.cancelled,
        retries=one.retries,
        run_ms=DurationView(**one.run_ms),
        wait_ms=DurationView(**one.wait_ms),
        share_of_time=round(one.total_ms / whole_ms, 4) if whole_ms else 0.0,
    )


def paths_view(found: Variants) -> PathsView:
    """Which ways executions went, as the API shows it."""
    others = found.others
    return PathsView(
        workflow=found.workflow,
        since=found.window.begins,
        until=found.window.ends,
        version=found.version,
        count=found.count,
        variants=[_variant(one, found.count) for one in found.shown],
        others=OthersView(count=others.count, share=_share(others.count, found.count), duration_ms=DurationView(**others.duration_ms)),
    )


def _variant(one: Variant, whole: int) -> VariantView:
    return VariantView(
        path=one.path,
        cut=one.cut,
        count=one.count,
        share=_share(one.count, whole),
        **{name: one.statuses.get(name, 0) for name in ("completed", "failed", "cancelled", "timed_out")},
        duration_ms=DurationView(**one.duration_ms),
    )


def _share(count: int, whole: int) -> float:
    return round(count / whole, 4) if whole else 0.0
