"""Workflows and their versions: nouns and pure decisions. Time and people are arguments; what is to be said is returned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from weft_contracts.audit import RecordAudit
from weft_contracts.definitions import WorkflowChanged, WorkflowDrafted
from weft_contracts.executions import ExecutionCancelled, ExecutionCompleted, ExecutionFailed, ExecutionStarted, ExecutionTimedOut
from weft_language.difference import same
from weft_language.model import Definition, to_document
from weft_runtime.uow import Decision

from weft_definitions.errors import EditedSince, ExecutionsLive, IllegalMove, NotActive, SlugMismatch
from weft_definitions.machine import HARMLESS, LEGAL, WorkflowStatus, allowed

ExecutionFact = ExecutionStarted | ExecutionCompleted | ExecutionFailed | ExecutionTimedOut | ExecutionCancelled
"""What tells that an execution began or ended."""


@dataclass(frozen=True, slots=True)
class Content:
    """A valid definition and what lists and filters need of it. document: as the author wrote it, with its slug; triggers: their kinds."""

    slug: str
    name: str
    description: str
    labels: Mapping[str, str]
    triggers: tuple[str, ...]
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a workflow. Immutable once `published_at` is set; until then it is the draft, which the next edit replaces."""

    number: int
    document: dict[str, Any]
    created_by: str
    created_at: datetime
    published_by: str | None = None
    published_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow of a tenant, without its definitions.

    name, description, labels, triggers: of the newest version.  version: the newest.
    active_version: what new executions run, None until published.
    revision: counts what others were told.  edit: counts every change; the resource's ETag.
    """

    slug: str
    name: str
    description: str
    labels: Mapping[str, str]
    triggers: tuple[str, ...]
    status: WorkflowStatus
    version: int
    active_version: int | None
    revision: int
    edit: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def etag(self) -> str:
        """The entity tag of this state, without its quotes."""
        return str(self.edit)


@dataclass(frozen=True, slots=True)
class Change:
    """A workflow as it is to be. version: the one to write with it, None when no version changed.  changed: False when nothing did."""

    workflow: Workflow
    version: Version | None = None
    changed: bool = True


def content_of(definition: Definition) -> Content:
    """What we keep of a valid definition."""
    return Content(
        slug=definition.slug,
        name=definition.name,
        description=definition.description or "",
        labels=dict(definition.labels),
        # Whatever a definition names, people and services may start it.
        triggers=tuple(sorted({"manual", *(trigger.on for trigger in definition.triggers)})),
        document=to_document(definition),
    )


def create(content: Content, by: str, now: datetime) -> Change:
    """A new workflow with version 1, a draft."""
    workflow = Workflow(
        slug=content.slug,
        name=content.name,
        description=content.description,
        labels=content.labels,
        triggers=content.triggers,
        status=WorkflowStatus.DRAFT,
        version=1,
        active_version=None,
        revision=0,
        edit=1,
        created_by=by,
        created_at=now,
        updated_at=now,
    )
    return Change(workflow, Version(1, content.document, by, now))


def tell_draft(change: Change) -> Decision[Change]:
    """A new draft with what others are told of it: that it is there and starts nothing, so that they say 409 and not 404 of it."""
    told = replace(change.workflow, revision=change.workflow.revision + 1)
    return Decision(replace(change, workflow=told), (changed(told, None), *drafted(change)))


def revise(workflow: Workflow, newest: Version, content: Content, by: str, now: datetime) -> Change:
    """The workflow with this definition as its newest version: a new one, or the draft replaced. The same definition changes nothing.

    Raises: IllegalMove when it is archived, SlugMismatch when the definition is another workflow's.
    """
    _refuse_archived(workflow, "change")
    if content.slug != workflow.slug:
        raise SlugMismatch(
            f"the definition's slug is {content.slug!r} and the address says {workflow.slug!r}; "
            "a slug never changes, so leave it out or make it the same"
        )
    if same(content.document, newest.document):
        return Change(workflow, changed=False)
    number = newest.number if newest.published_at is None else workflow.version + 1
    return Change(_edited(_described(workflow, content), now, version=number), Version(number, content.document, by, now))


def publish(workflow: Workflow, version: Version, by: str, now: datetime, note: str | None = None) -> Decision[Change]:
    """The workflow with `version` active: what new executions run from now on. Raises: IllegalMove when it is archived."""
    status = _move(workflow, "publish")
    if workflow.status is WorkflowStatus.ACTIVE and workflow.active_version == version.number:
        return Decision(Change(workflow, changed=False))
    published = replace(
        version, published_at=version.published_at or now, published_by=version.published_by or by, note=note or version.note
    )
    after = _edited(workflow, now, status=status, active_version=version.number, revision=workflow.revision + 1)
    return Decision(Change(after, published), (changed(after, published),))


def switch(workflow: Workflow, active: Version | None, move: str, now: datetime) -> Decision[Change]:
    """The workflow after `activate` or `deactivate`. active: its active version, None when it was never published. Raises: IllegalMove."""
    if (workflow.status, move) in HARMLESS:
        return Decision(Change(workflow, changed=False))
    after = _edited(workflow, now, status=_move(workflow, move), revision=workflow.revision + 1)
    return Decision(Change(after), (changed(after, active),))


def archive(workflow: Workflow, active: Version | None, live: int, *, drain: bool, now: datetime) -> Decision[Change]:
    """The workflow, deleted: nothing starts it any more, its history stays.

    live: how many executions still run.  drain: delete it all the same and let them end by themselves.
    Raises: ExecutionsLive.
    """
    if (workflow.status, "archive") in HARMLESS:
        return Decision(Change(workflow, changed=False))
    status = _move(workflow, "archive")
    if live and not drain:
        raise ExecutionsLive(
            f"{workflow.slug} has {live} live execution(s); cancel them, wait for their end, "
            "or delete with ?force=drain to let them end by themselves",
            extra={"live_executions": live},
        )
    if workflow.revision == 0:
        return Decision(Change(_edited(workflow, now, status=status)))
    after = _edited(workflow, now, status=status, revision=workflow.revision + 1)
    return Decision(Change(after), (changed(after, active),))


def roll_back(workflow: Workflow, earlier: Version, content: Content, by: str, now: datetime, note: str | None = None) -> Decision[Change]:
    """The workflow with what `earlier` held published as a new version. content: of that version. Raises: IllegalMove when archived."""
    _refuse_archived(workflow, "roll back")
    number = workflow.version + 1
    renewed = replace(_described(workflow, content), version=number)
    return publish(renewed, Version(number, earlier.document, by, now), by, now, note or f"version {earlier.number} again")


def require_match(workflow: Workflow, etag: str | None) -> None:
    """Refuse a change made to another state than the present one. etag: of the state that was read, None for any. Raises: EditedSince."""
    if etag is not None and etag != workflow.etag:
        raise EditedSince(
            f"{workflow.slug} was changed since you read it (its ETag is now {workflow.etag!r}, you named {etag[:80]!r}); "
            "read it again and redo your change"
        )


def require_active(workflow: Workflow, number: int | None) -> None:
    """Refuse a move that takes another version to be active. number: None for any. Raises: NotActive."""
    if number is not None and number != workflow.active_version:
        active = "none is" if workflow.active_version is None else f"{workflow.active_version} is"
        raise NotActive(f"version {number} of {workflow.slug} is not active, {active}; leave `version` out, or read the workflow again")


def changed(workflow: Workflow, active: Version | None) -> WorkflowChanged:
    """What others are told of a workflow. active: its active version, None for a draft, which is inactive to them."""
    return WorkflowChanged(
        slug=workflow.slug,
        name=workflow.name if active is None else str(active.document["name"]),
        revision=workflow.revision,
        status="inactive" if workflow.status is WorkflowStatus.DRAFT else workflow.status.value,
        active_version=workflow.active_version,
        definition=None if active is None else active.document,
        labels=dict(workflow.labels) if active is None else dict(active.document.get("labels", {})),
    )


def drafted(change: Change) -> tuple[WorkflowDrafted, ...]:
    """What the engine is told of a draft that was saved; nothing where none was."""
    made, edit = change.version, change.workflow.edit
    if made is None or made.published_at is not None:
        return ()
    return (WorkflowDrafted(slug=change.workflow.slug, draft_version=made.number, edit=edit, definition=made.document),)


def draft_saved(slug: str, was: Version | None, made: Version, changes: Mapping[str, Any] | None) -> RecordAudit:
    """What the audit is told of a definition that was saved. was: what it takes the place of.  changes: the difference from that."""
    before, after = (None if one is None else {"version": one.number, "sha256": digest(one.document)} for one in (was, made))
    details = None if changes is None else {"changes": dict(changes)}
    return RecordAudit(action="draft.saved", resource_type="draft", resource_id=slug, before=before, after=after, details=details)


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a definition: of its JSON without spaces, names in order."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def count(facts: Sequence[tuple[str, ExecutionFact]]) -> tuple[list[tuple[str, UUID, str]], list[tuple[str, UUID]]]:
    """What facts change in what is known to run.

    facts: each with its tenant, in the order they were said.
    Returns: executions to add, as (tenant, execution, workflow), and to remove, as (tenant, execution). One that began and ended among
    these facts, as most do at full load, is in neither.
    """
    added: dict[tuple[str, UUID], str] = {}
    removed: dict[tuple[str, UUID], None] = {}
    for tenant, fact in facts:
        key = tenant, fact.execution_id
        if isinstance(fact, ExecutionStarted):
            added[key] = fact.workflow
        elif added.pop(key, None) is None:
            removed[key] = None
    return [(*key, slug) for key, slug in added.items()], list(removed)


def _move(workflow: Workflow, move: str) -> WorkflowStatus:
    after = LEGAL.get((workflow.status, move))
    if after is None:
        can = ", ".join(allowed(workflow.status)) or "nothing"
        raise IllegalMove(
            f"cannot {move} {workflow.slug} while {workflow.status}; what can be done now: {can}", extra={"status": str(workflow.status)}
        )
    return after


def _refuse_archived(workflow: Workflow, verb: str) -> None:
    if workflow.status is WorkflowStatus.ARCHIVED:
        raise IllegalMove(
            f"cannot {verb} {workflow.slug} while archived; create a workflow with another slug", extra={"status": "archived"}
        )


def _described(workflow: Workflow, content: Content) -> Workflow:
    return replace(workflow, name=content.name, description=content.description, labels=content.labels, triggers=content.triggers)


def _edited(workflow: Workflow, now: datetime, **changes: Any) -> Workflow:
    return replace(workflow, edit=workflow.edit + 1, updated_at=now, **changes)
