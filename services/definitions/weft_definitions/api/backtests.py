"""The HTTP door of backtests."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Annotated, Any, cast
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from weft_runtime.auth import Permission
from weft_runtime.errors import Detail, Invalid
from weft_runtime.http import Body, Context, Reply, Uow

from weft_definitions.api.routes import door
from weft_definitions.asking import verbs
from weft_definitions.asking.question import Question
from weft_definitions.asking.waiting import answered
from weft_definitions.schemas import VersionNumber
from weft_definitions.settings import Settings

LONGEST = timedelta(days=400)


class BacktestBody(Body):
    """What to try, on which events. version: the newest when absent, a draft too.  to: now when absent."""

    version: VersionNumber | None = None
    since: Annotated[AwareDatetime, Field(alias="from", description="Events received at this time or later.")]
    until: Annotated[AwareDatetime | None, Field(alias="to", description="And before this one.")] = None


class BacktestView(BaseModel):
    """A backtest. status: `running`, `completed` or `failed`, with `problem`.

    result: null until it is completed.
    """

    id: UUID
    workflow: str
    status: str
    version: int
    live_version: int | None
    since: str = Field(serialization_alias="from")
    until: str = Field(serialization_alias="to")
    result: dict[str, Any] | None
    problem: dict[str, Any] | None


@door.post("/workflows/{slug}/backtest", may=Permission.EVENTS_READ)
async def backtest_workflow(slug: str, body: BacktestBody, context: Context, uow: Uow) -> Reply[BacktestView]:
    """Try a version on recorded events: which would have started, and the difference from the live version. Nothing starts.

    Answered 200 with the result where that is soon there, else 202 with where to ask for it.
    """
    until = (body.until or uow.now).astimezone(UTC)
    since = body.since.astimezone(UTC)
    if not timedelta(0) < until - since <= LONGEST:
        message = f"`from` is before `to`, by at most {LONGEST.days} days"
        raise Invalid(message, details=[Detail("/from", "out_of_range", message)])
    asked = await verbs.backtest(slug, body.version, since, until, uow)
    tenant, wait_s = uow.tenant, cast(Settings, context.settings).answer_wait_s / 2
    headers = {"Location": f"/api/v1/workflows/{slug}/backtests/{asked.id}"}

    async def then() -> Reply[BacktestView] | None:
        found = await answered(context, tenant, asked.id, wait_s)
        return None if found is None else Reply(_view(found), headers=headers)

    return Reply(_view(asked), status=202, headers=headers, then=then)


@door.get("/workflows/{slug}/backtests/{backtest_id}", may=Permission.EVENTS_READ)
async def get_backtest(slug: str, backtest_id: UUID, uow: Uow) -> BacktestView:
    """A backtest, and its result when it is there. It is kept for seven days."""
    return _view(await verbs.find_backtest(slug, backtest_id, uow))


def _view(found: Question) -> BacktestView:
    status = "running" if found.answered_at is None else "completed" if found.problem is None else "failed"
    return BacktestView(
        id=found.id,
        workflow=found.slug,
        status=status,
        version=found.asked["version"],
        live_version=found.asked["live_version"],
        since=found.asked["from"],
        until=found.asked["to"],
        result=found.answer,
        problem=found.problem,
    )
