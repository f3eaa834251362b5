"""Bodies and views of alerts and of the rules that raise them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from weft_runtime.http import Body

from weft_analytics.alerts import Alert, Kind, Rule
from weft_analytics.errors import BadWindow
from weft_analytics.window import duration_seconds

AlertStatus = Literal["open", "acknowledged", "resolved"]
RuleKind = Literal["failed", "stuck", "overdue", "slow", "costly"]


def _from_to(least_s: int, most_s: int) -> AfterValidator:
    def check(text: str) -> str:
        try:
            seconds = duration_seconds(text)
        except BadWindow as error:
            raise PydanticCustomError("duration", "{detail}", {"detail": error.message}) from error
        if not least_s <= seconds <= most_s:
            raise PydanticCustomError("duration", "give {least} s to {most} s", {"least": least_s, "most": most_s})
        return text

    return AfterValidator(check)


Count = Annotated[int, Field(ge=1, le=1_000_000)]
Within = Annotated[str, Field(max_length=40), _from_to(60, 86_400)]
Lasting = Annotated[str, Field(max_length=40), _from_to(1, 31_536_000)]


class FailedConditions(Body):
    """`failed`: at least `count` failed or timed out within the time, and at least this share of those that ended."""

    count: Count = 1
    share: Annotated[float, Field(gt=0, le=1)] | None = None
    within: Within = "PT1H"


class StuckConditions(Body):
    """`stuck`: at least `count` run or are queued, and nothing was heard of them for that long."""

    count: Count = 1
    after: Annotated[str, Field(max_length=40), _from_to(60, 31_536_000)] = "PT1H"


class OverdueConditions(Body):
    """`overdue`: at least `count` still live after the moment when, by their `sla`, they should have ended."""

    count: Count = 1


class SlowConditions(Body):
    """`slow`: this percentile of those that started within the time and completed, at least `count`, is over so long."""

    over: Lasting
    percentile: Literal["p50", "p95", "p99"] = "p95"
    count: Count = 1
    within: Within = "PT1H"


class CostlyConditions(Body):
    """`costly`: calls of models within the time cost the executions of the workflow more than so many US dollars."""

    over: Annotated[float, Field(gt=0, le=1_000_000_000, allow_inf_nan=False)]
    within: Annotated[str, Field(max_length=40), _from_to(60, 31 * 86_400)] = "PT24H"


_CONDITIONS: dict[str, type[Body]] = {
    "failed": FailedConditions, "stuck": StuckConditions, "overdue": OverdueConditions, "slow": SlowConditions,
    "costly": CostlyConditions,
}  # fmt: skip


class RuleBody(Body):
    """What to watch for, in the member that is named as the kind; what is left out is as the kind has it by default.

    workflow: one; each where it is left out.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: RuleKind
    workflow: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    severity: Literal["info", "warning", "critical"] = "warning"
    enabled: bool = True
    failed: FailedConditions | None = None
    stuck: StuckConditions | None = None
    overdue: OverdueConditions | None = None
    slow: SlowConditions | None = None
    costly: CostlyConditions | None = None

    @model_validator(mode="after")
    def _fitting(self) -> RuleBody:
        given = [name for name in _CONDITIONS if getattr(self, name) is not None]
        if any(name != self.kind for name in given):
            raise PydanticCustomError(
                "conditions", "give the conditions of a `{kind}` rule as `{kind}`, and no others", {"kind": self.kind}
            )
        if self.kind == "slow" and self.slow is None:
            raise PydanticCustomError("conditions", "say how long is too long: `slow: {over: …}`")
        if self.kind == "costly" and self.costly is None:
            raise PydanticCustomError("conditions", "say how many US dollars are too many: `costly: {over: …}`")
        return self

    def watched(self) -> tuple[Kind, dict[str, Any]]:
        """The kind, with all its conditions."""
        given = getattr(self, self.kind)
        return self.kind, (_CONDITIONS[self.kind]() if given is None else given).model_dump()


class RuleView(BaseModel):
    """A rule, with the conditions of its kind in the member that is named so."""

    id: UUID
    name: str
    kind: str
    workflow: str | None
    severity: str
    enabled: bool
    failed: dict[str, Any] | None
    stuck: dict[str, Any] | None
    overdue: dict[str, Any] | None
    slow: dict[str, Any] | None
    costly: dict[str, Any] | None
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None

    @classmethod
    def of(cls, rule: Rule) -> RuleView:
        """The view of a rule."""
        names = ("id", "name", "kind", "workflow", "severity", "enabled", "created_at", "created_by", "updated_at", "updated_by")
        conditions = {kind: dict(rule.conditions) if kind == rule.kind else None for kind in _CONDITIONS}
        return cls(version=rule.revision, **conditions, **{name: getattr(rule, name) for name in names})


class AlertQuery(BaseModel):
    """Which alerts."""

    model_config = ConfigDict(extra="ignore")
    status: Annotated[list[AlertStatus], Field(max_length=3)] = []
    kind: Kind | None = None
    workflow: Annotated[str, Field(max_length=200)] | None = None


class AckBody(Body):
    """What to say with it."""

    note: Annotated[str, Field(max_length=2000)] | None = None


class AlertView(BaseModel):
    """An alert. rule: its name when it was last looked after.  details: numbers, and ids of some executions."""

    id: UUID
    rule_id: UUID
    rule: str
    kind: str
    severity: str
    workflow: str
    status: AlertStatus
    summary: str
    details: dict[str, Any]
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    resolved_at: datetime | None
    allowed_actions: list[str]

    @classmethod
    def of(cls, alert: Alert) -> AlertView:
        """The view of an alert."""
        names = set(cls.model_fields) - {"status", "details", "allowed_actions"}
        actions = ["ack"] if alert.status == "open" else []
        return cls(
            status=alert.status, details=dict(alert.details), allowed_actions=actions, **{name: getattr(alert, name) for name in names}
        )
