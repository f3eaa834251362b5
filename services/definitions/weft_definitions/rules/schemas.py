"""HTTP bodies and views of rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field
from weft_language.model.part import Slug
from weft_language.rules import RuleFields
from weft_runtime.http import Body

from weft_definitions import schemas
from weft_definitions.machine import WorkflowStatus
from weft_definitions.rules.verbs import Kept
from weft_definitions.schemas import FindingView

Status = Literal["active", "inactive", "draft"]


class RuleBody(Body, RuleFields):
    """A rule. slug: from its name when absent.  status: `draft` of a new one when absent, else as it is."""

    slug: Slug | None = None
    status: Status | None = None

    @property
    def wanted(self) -> WorkflowStatus | None:
        """The status that is asked for, None where none is."""
        return None if self.status is None else WorkflowStatus(self.status)


class TrialBody(Body):
    """A sample to try a rule with: an event as the log has one, or the record that changed.

    old: the record before; without it every field counts as changed.  operation: that of the rule when absent.
    """

    event: dict[str, Any] | None = Field(default=None, description="A CloudEvent; what is left out is taken to be as the rule wants it.")
    record: dict[str, Any] | None = Field(default=None, description="What changed, as it is now; of one that is gone, as it was.")
    old: dict[str, Any] | None = None
    operation: Literal["create", "update", "delete"] | None = None
    at: AwareDatetime | None = Field(default=None, description="When it happens; now when absent.")


class RuleSummary(BaseModel):
    """A rule in a list. workflow: the one underneath, which has its slug."""

    slug: str
    name: str
    description: str
    status: str
    entity_type: str
    operation: str
    priority: int
    actions: list[str]
    workflow: str
    version: int
    active_version: int | None
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime


class RuleView(BaseModel):
    """A rule. findings: after a change.  installed: after one that was published, whether every service has stored it already."""

    slug: str
    name: str
    description: str
    status: str
    trigger: dict[str, Any]
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    recipients: list[dict[str, Any]]
    workflow: str
    version: int
    active_version: int | None
    etag: str
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    findings: list[FindingView] = []
    installed: bool | None = None


class ConditionLook(BaseModel):
    """What one condition came to. pointer: to it in the rule.  held: null where it could not be evaluated, which `error` tells of."""

    pointer: str
    type: str
    held: bool | None
    error: str | None
    condition: dict[str, Any]


class ActionLook(BaseModel):
    """One action. done: whether it would be.  to: whom it tells.  with: what it is given, rendered.  error: why it would not be done."""

    pointer: str
    action_type: str
    order: int
    node: str
    done: bool
    to: Any = None
    with_: Any = Field(default=None, alias="with", serialization_alias="with")
    error: dict[str, Any] | None = None


class TrialView(BaseModel):
    """What an event would come to. matched: whether the rule starts.  why: each reason where it does not.

    status: of the execution, `unmatched` where none starts.  workflow_version: the one that was tried, the newest.
    """

    rule: str
    workflow_version: int
    matched: bool
    reason: str
    why: list[str]
    status: str
    conditions: list[ConditionLook]
    actions: list[ActionLook]
    event: dict[str, Any]
    findings: list[dict[str, Any]]


class TrialUnanswered(BaseModel):
    """A trial whose answer nobody got: what a repeat with its `Idempotency-Key` is told. Ask again with another key."""

    rule: str
    status: Literal["unanswered"] = "unanswered"


class Rows(BaseModel):
    """A rule as rows: each with its own id and that of the rule."""

    definition: dict[str, Any]
    triggers: list[dict[str, Any]]
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    recipients: list[dict[str, Any]]


def summary(kept: Kept) -> RuleSummary:
    """A rule as lists show it."""
    document, trigger = kept.rule.document, kept.rule.document["trigger"]
    return RuleSummary(
        **_standing(kept),
        name=document["name"],
        description=document["description"],
        entity_type=trigger["entity_type"],
        operation=trigger["operation"],
        priority=trigger["priority"],
        actions=[one["action_type"] for one in document["actions"]],
    )


def view(kept: Kept) -> RuleView:
    """A rule as a whole."""
    return RuleView(**_standing(kept), **kept.rule.document, etag=kept.rule.etag, findings=_findings(kept.findings))


def _findings(found: Iterable[Any]) -> list[FindingView]:
    return [schemas.finding(one) for one in found]


def _standing(kept: Kept) -> dict[str, Any]:
    rule, workflow = kept.rule, kept.workflow
    return {
        "slug": rule.slug,
        "status": workflow.status.value,
        "workflow": workflow.slug,
        "version": workflow.version,
        "active_version": workflow.active_version,
        "created_by": rule.created_by,
        "created_at": rule.created_at,
        "updated_by": rule.updated_by,
        "updated_at": rule.updated_at,
    }
