"""A rule and what is decided about one. Pure; time and people are arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from weft_language.difference import same
from weft_language.rules import RuleFields
from weft_runtime.uow import Decision

from weft_definitions import domain
from weft_definitions.domain import Change, Content, Version, Workflow
from weft_definitions.errors import EditedSince, IllegalMove
from weft_definitions.machine import WorkflowStatus


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a tenant. How it stands, and its versions, are told by its workflow, of the same slug.

    document: as written.  edit: counts every change; the resource's ETag.
    """

    slug: str
    document: dict[str, Any]
    edit: int
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The entity tag of this state, without its quotes."""
        return str(self.edit)

    @property
    def fields(self) -> RuleFields:
        """What it says."""
        return RuleFields.model_validate(self.document)


def document_of(fields: RuleFields) -> dict[str, Any]:
    """What is kept of a rule: as its author wrote it, with what was left out filled in where a reader looks for it."""
    written = fields.model_dump(mode="json", by_alias=True, exclude_unset=True, include=set(RuleFields.model_fields))
    trigger = fields.trigger
    written["trigger"] = {"priority": trigger.priority, "source": trigger.source, "field_conditions": {}} | written["trigger"]
    written["actions"] = [{"order": 0} | action for action in written["actions"]]
    return {"description": "", "conditions": [], "recipients": []} | written


def create(content: Content, status: WorkflowStatus, by: str, now: datetime) -> Decision[Change]:
    """The workflow of a new rule, as it stands from the beginning."""
    change = domain.create(content, by, now)
    if status is WorkflowStatus.DRAFT:
        return domain.tell_draft(change)
    return _standing(change.workflow, _written(change), change, status, by, now)


def revise(
    workflow: Workflow, newest: Version, active: Version | None, content: Content, status: WorkflowStatus, by: str, now: datetime
) -> Decision[Change]:
    """The workflow of a rule that says something else now, or stands otherwise. active: its active version, None where none ever was.

    Raises: IllegalMove, where what was published is to be a draft again.
    """
    if status is WorkflowStatus.DRAFT and workflow.status is not WorkflowStatus.DRAFT:
        raise IllegalMove(
            f"the rule {workflow.slug} is {workflow.status} and was published, so it is no draft any more; make it inactive instead",
            extra={"status": str(workflow.status)},
        )
    change = domain.revise(workflow, newest, content, by, now)
    if status is WorkflowStatus.DRAFT:
        return Decision(change)
    if status is WorkflowStatus.INACTIVE and workflow.active_version is not None:
        # What it says now waits until it is active again.
        stopped = domain.switch(change.workflow, active, "deactivate", now)
        return Decision(Change(stopped.state.workflow, change.version, changed=change.changed or stopped.state.changed), stopped.says)
    return _standing(change.workflow, change.version or newest, change, status, by, now)


def _standing(workflow: Workflow, version: Version, change: Change, status: WorkflowStatus, by: str, now: datetime) -> Decision[Change]:
    """A version published, and put out of work again where the rule is to be inactive: others are told of what comes out of it."""
    published = domain.publish(workflow, version, by, now)
    if status is WorkflowStatus.ACTIVE:
        made = published.state
        return Decision(replace(made, version=made.version or change.version, changed=made.changed or change.changed), published.says)
    kept = published.state.version
    stopped = domain.switch(published.state.workflow, kept, "deactivate", now)
    return Decision(Change(stopped.state.workflow, kept), stopped.says)


def saved(rule: Rule, document: dict[str, Any], change: Change, by: str, now: datetime) -> Rule:
    """The rule as it is kept now: another edit where it, or how it stands, is another."""
    if same(document, rule.document) and not change.changed:
        return rule
    return replace(rule, document=document, edit=rule.edit + 1, updated_by=by, updated_at=now)


def require_match(rule: Rule, etag: str | None) -> None:
    """Refuse a change made to another state than the present one. etag: of the state that was read, None for any. Raises: EditedSince."""
    if etag is not None and etag != rule.etag:
        raise EditedSince(
            f"the rule {rule.slug} was changed since you read it (its ETag is now {rule.etag!r}, you named {etag[:80]!r}); "
            "read it again and redo your change"
        )


def _written(change: Change) -> Version:
    if change.version is None:
        raise ValueError(f"a new rule {change.workflow.slug} came without a version")
    return change.version
