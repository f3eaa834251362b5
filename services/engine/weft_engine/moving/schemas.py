"""HTTP bodies and views of migrations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from weft_runtime.http import Body, Several

from weft_engine.machine import MIGRATION_MOVES

MOST_IDS = 20_000
USUAL_ERROR_RATE = 0.1
USUAL_WATCH_S = 60.0
LONGEST_WATCH_S = 86_400.0

Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Place = Annotated[str, Field(min_length=1, max_length=129)]
"""A node, or a branch of a `parallel` as `<node>/<branch>`."""
Mapping = Annotated[dict[Place, Place | None], Field(max_length=1000)]
"""Nodes and branches of the version they leave by what they become; null where they go."""
Timers = Literal["keep", "reset"]
LiveStatus = Literal["queued", "running", "waiting", "paused"]
ItemStatus = Literal["waiting", "planned", "blocked", "sent", "migrated", "refused", "ended", "undoing", "undone", "kept"]
VerdictKind = Literal["ok", "ok_unchanged_position", "blocked"]


class MigrateBody(Body):
    """How one execution goes on.

    version: a published one.  mapping: what the structure suggests when absent; of what it does not name, the ids tell.
    timers: `keep` what remains of each, or `reset` them by the new nodes' own.  dry_run: only tell the verdict.
    """

    version: Version
    mapping: Mapping | None = None
    timers: Timers = "keep"
    dry_run: bool = False


class ReasonView(BaseModel):
    """One thing that stands in the way, or is worth knowing. node: of the version it leaves."""

    code: str
    node: str | None
    detail: str


class MigratedView(BaseModel):
    """What became of the migration of one execution. status: `migrated`, `dry_run`, `blocked` (of a dry run), `repeated`, `undone`."""

    execution_id: UUID
    status: str
    verdict: VerdictKind | None = None
    reasons: list[ReasonView] = Field(default_factory=list)
    warnings: list[ReasonView] = Field(default_factory=list)


class MigrationFilter(Body):
    """Which of the version's live executions: all that is given holds of each. from, to: of their start."""

    status: LiveStatus | Annotated[list[LiveStatus], Field(max_length=4)] | None = None
    key: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    label: Annotated[dict[str, str], Field(max_length=10)] = Field(default_factory=dict)
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_IDS)] | None = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses asked for, none for all."""
        if self.status is None:
            return ()
        return (self.status,) if isinstance(self.status, str) else tuple(self.status)


class Canary(Body):
    """How many go first. One of the two: a share of those that can go, or a number of them."""

    share: Annotated[float, Field(gt=0, le=1)] | None = None
    count: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Canary:
        if (self.share is None) == (self.count is None):
            raise ValueError("give either `share` or `count`")
        return self


class MigrationBody(Body):
    """A migration of many executions. Nothing moves until it is applied.

    canary: those that go first, absent for all at once.  stop_at_error_rate: of those sent, how many may be refused or fail before it
    stops.  watch_s: how long the canary is watched before the others follow.
    """

    from_: Version = Field(alias="from")
    to: Version
    mapping: Mapping | None = None
    timers: Timers = "keep"
    canary: Canary | None = None
    stop_at_error_rate: float = Field(default=USUAL_ERROR_RATE, gt=0, le=1)
    watch_s: float = Field(default=USUAL_WATCH_S, ge=0, le=LONGEST_WATCH_S)
    filter: MigrationFilter = MigrationFilter()


class ProposedView(BaseModel):
    """What a node or branch of the version they leave probably is in the new one. to: null where it has gone.  confidence: 0..1."""

    from_: str = Field(serialization_alias="from")
    to: str | None
    confidence: float
    reason: str


class CountedReason(BaseModel):
    """A reason or warning, by how many executions it is about. example: the sentence of one of them."""

    code: str
    node: str | None
    count: int
    example: str


class MigrationView(BaseModel):
    """A migration. mapping: of the nodes that change.  items: how many are where.  failed: of those moved, how many have failed since.

    halted: why it stopped, `{errors, of, rate}`.
    """

    id: UUID
    workflow: str
    from_version: int
    to_version: int
    mapping: dict[str, str | None]
    proposed: list[ProposedView]
    timers: str
    filter: dict[str, Any]
    canary: dict[str, Any] | None
    canary_total: int
    stop_at_error_rate: float
    watch_s: float
    watch_until: datetime | None
    status: str
    total: int
    items: dict[str, int]
    failed: int
    reasons: list[CountedReason]
    warnings: list[CountedReason]
    halted: dict[str, Any] | None
    created_by: str | None
    created_at: datetime
    allowed_actions: list[str]


class ItemQuery(BaseModel):
    """Which items."""

    status: Annotated[list[ItemStatus], Several] = Field(default_factory=list)
    verdict: VerdictKind | None = None


class ItemView(BaseModel):
    """One execution of a migration. code, detail: of a refusal, or why it was not moved back."""

    number: int
    execution_id: UUID
    execution_status: str
    execution_version: int
    status: ItemStatus
    verdict: VerdictKind | None
    reasons: list[ReasonView]
    warnings: list[ReasonView]
    canary: bool
    code: str | None
    detail: str | None
    done_at: datetime | None


class MigrationWithVerdicts(MigrationView):
    """A migration with the verdicts on the first of its executions; GET /migrations/{id}/items has all of them."""

    verdicts: list[ItemView]


class MigrationSummary(BaseModel):
    """A migration in a list."""

    id: UUID
    workflow: str
    from_version: int
    to_version: int
    status: str
    total: int
    created_at: datetime


def view(migration: Any, counts: dict[str, int], reasons: list[dict[str, Any]], warnings: list[dict[str, Any]]) -> MigrationView:
    """A migration as it is stored, with what its items come to."""
    shown = {name: many for name, many in sorted(counts.items()) if name not in ("canary_waiting", "failed")}
    return MigrationView(
        id=migration.id,
        workflow=migration.workflow,
        from_version=migration.from_version,
        to_version=migration.to_version,
        mapping=migration.mapping,
        proposed=[
            ProposedView(from_=one["from"], **{name: one[name] for name in ("to", "confidence", "reason")}) for one in migration.proposed
        ],
        timers=migration.timers,
        filter=migration.filter,
        canary=migration.canary or None,
        canary_total=migration.canary_total,
        stop_at_error_rate=migration.stop_at_error_rate,
        watch_s=migration.watch_s,
        watch_until=migration.watch_until,
        status=migration.status,
        total=migration.total,
        items=shown,
        failed=counts["failed"],
        reasons=[CountedReason(**one) for one in reasons],
        warnings=[CountedReason(**one) for one in warnings],
        halted=migration.halted,
        created_by=migration.caller.get("id"),
        created_at=migration.created_at,
        allowed_actions=[verb for verb in ("apply", "undo") if (migration.status, verb) in MIGRATION_MOVES],
    )


def summary(migration: Any) -> MigrationSummary:
    """A migration in a list."""
    return MigrationSummary.model_validate(migration, from_attributes=True)


def item_view(item: Any) -> ItemView:
    """An item as it is stored."""
    return ItemView.model_validate(item, from_attributes=True)


def utc(time: datetime | None) -> datetime | None:
    """A time with its zone; UTC where it names none."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
