"""HTTP bodies and views of workflows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from weft_language import Finding
from weft_runtime.http import Body

from weft_definitions.domain import Version, Workflow
from weft_definitions.exchange import Imported
from weft_definitions.machine import allowed

VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
Note = Annotated[str, Field(max_length=2000)]


class PublishBody(Body):
    """What to publish. version: the newest when absent.  note: why, for the history."""

    version: VersionNumber | None = None
    note: Note | None = None


class SwitchBody(Body):
    """A deactivation. version: the one that is taken to be active; 409 where it is not.  note: why, for whoever reads the request's log."""

    version: VersionNumber | None = None
    note: Note | None = None


class RollbackBody(Body):
    """Which earlier version to publish again. note: why, for the history."""

    version: VersionNumber
    note: Note | None = None


class FindingView(BaseModel):
    """One thing that is wrong, doubtful or worth knowing about a definition."""

    severity: Literal["error", "warning", "info"]
    code: str
    pointer: str
    node: str | None
    message: str
    fix: str | None
    patch: list[dict[str, Any]] | None = None


class Verdict(BaseModel):
    """What a validation says. valid: no finding is an error.  publishable: the engine can execute it."""

    valid: bool
    publishable: bool
    findings: list[FindingView]


class WorkflowSummary(BaseModel):
    """A workflow in a list."""

    slug: str
    name: str
    description: str
    labels: dict[str, str]
    triggers: list[str]
    status: str
    version: int
    active_version: int | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    allowed_actions: list[str]


class WorkflowView(WorkflowSummary):
    """A workflow with one of its definitions.

    version: the one that is shown, the newest unless another was asked for.  latest_version: the newest.  findings: after a change.
    """

    etag: str
    latest_version: int
    definition: dict[str, Any]
    findings: list[FindingView] = []
    installed: bool | None = Field(default=None, description="After a publish: whether every service has stored it already.")


class ImportView(BaseModel):
    """What came of a file.

    format: what it was taken for.  valid: nothing kept it from being imported.  definition: what it became.
    findings: what could not be carried over, with pointers into the file, then what there is to say about the definition.
    workflow: what it is now, None where nothing was saved.
    """

    format: str
    valid: bool
    slug: str | None
    status: str | None = None
    version: int | None = None
    definition: Any
    findings: list[FindingView]
    workflow: WorkflowView | None = None


class VersionSummary(BaseModel):
    """A version in a list."""

    version: int
    created_by: str
    created_at: datetime
    published_by: str | None
    published_at: datetime | None
    note: str | None


class VersionView(VersionSummary):
    """A version with its definition."""

    slug: str
    definition: dict[str, Any]


def finding(found: Finding) -> FindingView:
    """A finding as the API shows it."""
    return FindingView(**found.as_dict())


def summary(workflow: Workflow) -> WorkflowSummary:
    """A workflow as lists show it."""
    return WorkflowSummary(**_fields(workflow))


def workflow(shown: Workflow, version: Version, findings: Sequence[Finding] = ()) -> WorkflowView:
    """A workflow with the definition of `version`."""
    return WorkflowView(
        **(_fields(shown) | {"version": version.number}),
        etag=shown.etag,
        latest_version=shown.version,
        definition=version.document,
        findings=[finding(found) for found in findings],
    )


def import_preview(file: Imported, valid: bool, findings: Sequence[Finding]) -> ImportView:
    """What would come of a file."""
    shown = [finding(found) for found in findings]
    return ImportView(format=file.format, valid=valid, slug=file.slug, definition=file.sent.document, findings=shown)


def imported(file: Imported, made: Workflow, version: Version, findings: Sequence[Finding]) -> ImportView:
    """What came of a file that was imported."""
    shown = workflow(made, version, findings)
    return ImportView(
        format=file.format,
        valid=True,
        slug=shown.slug,
        status=shown.status,
        version=shown.version,
        definition=shown.definition,
        findings=[*map(finding, file.findings), *shown.findings],
        workflow=shown,
    )


def version_summary(version: Version) -> VersionSummary:
    """A version as lists show it."""
    return VersionSummary(**_version_fields(version))


def version_view(slug: str, version: Version) -> VersionView:
    """A version with its definition."""
    return VersionView(**_version_fields(version), slug=slug, definition=version.document)


def _fields(workflow: Workflow) -> dict[str, Any]:
    return {
        "slug": workflow.slug,
        "name": workflow.name,
        "description": workflow.description,
        "labels": dict(workflow.labels),
        "triggers": list(workflow.triggers),
        "status": workflow.status.value,
        "version": workflow.version,
        "active_version": workflow.active_version,
        "created_by": workflow.created_by,
        "created_at": workflow.created_at,
        "updated_at": workflow.updated_at,
        "allowed_actions": allowed(workflow.status),
    }


def _version_fields(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "created_by": version.created_by,
        "created_at": version.created_at,
        "published_by": version.published_by,
        "published_at": version.published_at,
        "note": version.note,
    }
