"""Workflows and their versions, and the catalog of nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from weft_language import Finding, node_type, node_types
from weft_runtime.auth import Caller, Permission
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Forbidden
from weft_runtime.http import Asker, Context, IfMatch, Listing, Page, RawBody, Reply, Several, Uow
from weft_runtime.uow import UnitOfWork

from weft_definitions import documents, schemas, store, usecases, waiting
from weft_definitions.api.routes import AskedNumber, ContentType, Number, door
from weft_definitions.documents import Sent
from weft_definitions.domain import Workflow
from weft_definitions.errors import NodeTypeNotFound
from weft_definitions.labels import wanted
from weft_definitions.machine import WorkflowStatus
from weft_definitions.schemas import (
    PublishBody,
    RollbackBody,
    SwitchBody,
    Verdict,
    VersionSummary,
    VersionView,
    WorkflowSummary,
    WorkflowView,
)

DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A definition (weft/v1), or `{definition, status}`; JSON or YAML.",
        "content": {"application/json": {"schema": {"type": "object"}}, "application/yaml": {"schema": {"type": "object"}}},
    }
}


@door.post("/workflows", may=Permission.WORKFLOWS_WRITE, status=201, openapi_extra=DOCUMENT)
async def create_workflow(body: RawBody, context: Context, uow: Uow, content_type: ContentType = None) -> Reply[WorkflowView]:
    """Create a workflow: version 1, a draft, or active where the body says so."""
    sent = await asyncio.to_thread(documents.read, body, content_type)
    _require_publish(sent, uow.caller)
    workflow, version, admitted = await usecases.create(sent, uow)
    headers = {"Location": f"/api/v1/workflows/{workflow.slug}"}
    reply = Reply(schemas.workflow(workflow, version, admitted.findings), etag=workflow.etag, headers=headers)
    return waiting.when_installed(context, uow.tenant, workflow, reply)


@door.get("/workflows", may=Permission.WORKFLOWS_READ, only_known=True)
async def list_workflows(
    page: Page,
    uow: Uow,
    status: Annotated[tuple[WorkflowStatus, ...], Several, Query(description="Archived ones are listed only when asked for.")] = (),
    label: Annotated[
        tuple[str, ...], Query(max_length=20, description="`name=value` or `name:value`, or `name` for any value; all must hold.")
    ] = (),
    q: Annotated[str | None, Query(max_length=200, description="In slug, name or description.")] = None,
    trigger: Annotated[str | None, Query(max_length=50, description="The kind of one of its triggers.")] = None,
) -> Listing[WorkflowSummary]:
    """The workflows, newest first."""
    rows = await store.list_workflows(
        uow, status=status, labels=wanted(label), text=q, trigger=trigger, after=page.after, limit=page.limit + 1
    )
    return page.listing(rows, view=schemas.summary, key=lambda row: (row.created_at, row.slug))


@door.post("/workflows/validate", may=Permission.WORKFLOWS_READ, openapi_extra=DOCUMENT)
async def validate_workflow(body: RawBody, uow: Uow, content_type: ContentType = None) -> Verdict:
    """What saving and publishing a definition would say; saves nothing."""
    sent = await asyncio.to_thread(documents.read, body, content_type)
    valid, publishable, findings = await asyncio.to_thread(documents.verdict, sent, await usecases.known(sent, uow))
    return Verdict(valid=valid, publishable=publishable, findings=[schemas.finding(found) for found in findings])


@door.get("/workflows/{slug}", may=Permission.WORKFLOWS_READ)
async def get_workflow(slug: str, uow: Uow, version: AskedNumber | None = None) -> Reply[WorkflowView]:
    """A workflow with its newest definition, or that of `version`."""
    workflow = await store.get(uow, slug)
    shown = await store.get_version(uow, slug, version or workflow.version)
    return Reply(schemas.workflow(workflow, shown), etag=workflow.etag)


@door.put("/workflows/{slug}", may=Permission.WORKFLOWS_WRITE, openapi_extra=DOCUMENT)
async def put_workflow(
    slug: str, body: RawBody, etag: IfMatch, context: Context, uow: Uow, content_type: ContentType = None
) -> Reply[WorkflowView]:
    """Give a workflow a new definition: a new version, or the draft replaced."""
    sent = await asyncio.to_thread(documents.read, body, content_type)
    _require_publish(sent, uow.caller)
    workflow, version, admitted = await usecases.revise(slug, sent, etag, uow)
    reply = Reply(schemas.workflow(workflow, version, admitted.findings), etag=workflow.etag)
    told = waiting.when_installed if admitted.active else waiting.when_drafted
    return told(context, uow.tenant, workflow, reply)


@door.delete("/workflows/{slug}", may=Permission.WORKFLOWS_WRITE, status=204)
async def delete_workflow(
    slug: str,
    etag: IfMatch,
    uow: Uow,
    force: Annotated[Literal["drain"] | None, Query(description="Delete although executions live; they end by themselves.")] = None,
) -> None:
    """Delete a workflow; its history stays."""
    await usecases.archive(slug, etag, uow, drain=force == "drain")


@door.post("/workflows/{slug}/publish", may=Permission.WORKFLOWS_PUBLISH)
async def publish_workflow(slug: str, etag: IfMatch, context: Context, uow: Uow, body: PublishBody | None = None) -> Reply[WorkflowView]:
    """Let new executions run a version, the newest unless one is named."""
    asked = body or PublishBody()
    workflow, findings = await usecases.publish(slug, asked.version, asked.note, etag, uow)
    return await _told(workflow, context, uow, findings)


@door.post("/workflows/{slug}/activate", may=Permission.WORKFLOWS_PUBLISH)
async def activate_workflow(slug: str, etag: IfMatch, context: Context, uow: Uow, body: PublishBody | None = None) -> Reply[WorkflowView]:
    """Let a deactivated workflow start again, on another version where one is named."""
    asked = body or PublishBody()
    if asked.version is not None:
        workflow, findings = await usecases.publish(slug, asked.version, asked.note, etag, uow)
        return await _told(workflow, context, uow, findings)
    return await _told(await usecases.switch(slug, "activate", etag, uow), context, uow)


@door.post("/workflows/{slug}/deactivate", may=Permission.WORKFLOWS_PUBLISH)
async def deactivate_workflow(slug: str, etag: IfMatch, context: Context, uow: Uow, body: SwitchBody | None = None) -> Reply[WorkflowView]:
    """Let nothing start a workflow any more; what runs goes on."""
    asked = body or SwitchBody()
    return await _told(await usecases.switch(slug, "deactivate", etag, uow, active_is=asked.version), context, uow)


@door.post("/workflows/{slug}/rollback", may=Permission.WORKFLOWS_PUBLISH)
async def roll_back_workflow(slug: str, body: RollbackBody, etag: IfMatch, context: Context, uow: Uow) -> Reply[WorkflowView]:
    """Publish what an earlier version held as a new version."""
    workflow, findings = await usecases.roll_back(slug, body.version, body.note, etag, uow)
    return await _told(workflow, context, uow, findings)


@door.get("/workflows/{slug}/versions", may=Permission.WORKFLOWS_READ)
async def list_versions(slug: str, page: Page, uow: Uow) -> Listing[VersionSummary]:
    """The versions of a workflow, newest first."""
    await store.get(uow, slug)
    rows = await store.list_versions(uow, slug, after=page.after[0] if page.after else None, limit=page.limit + 1)
    return page.listing(rows, view=schemas.version_summary, key=lambda row: (row.number,))


@door.get("/workflows/{slug}/versions/{number}", may=Permission.WORKFLOWS_READ)
async def get_version(slug: str, number: Number, uow: Uow) -> VersionView:
    """One version with its definition."""
    await store.get(uow, slug)
    return schemas.version_view(slug, await store.get_version(uow, slug, number))


@door.get("/workflows/{slug}/compare", may=Permission.WORKFLOWS_READ)
async def compare_versions(
    slug: str, uow: Uow, before: Annotated[AskedNumber, Query(alias="from")], after: Annotated[AskedNumber, Query(alias="to")]
) -> dict[str, Any]:
    """What differs between two versions: nodes, edges, triggers, settings and fields, each added, removed or changed."""
    await store.get(uow, slug)
    older, newer = await store.get_version(uow, slug, before), await store.get_version(uow, slug, after)
    found = await asyncio.to_thread(documents.compare, older.document, newer.document)
    return {"slug": slug, "from": before, "to": after, **found}


@door.get("/node-types", may=Permission.WORKFLOWS_READ)
async def list_node_types(asker: Asker, page: Page) -> Listing[dict[str, Any]]:
    """Every type of node with its schemas and outcomes; in pages where they are asked for."""
    return page.of(node_types())


@door.get("/node-types/{name}", may=Permission.WORKFLOWS_READ)
async def get_node_type(name: str, asker: Asker) -> dict[str, Any]:
    """One type of node."""
    found = node_type(name)
    if found is None:
        raise NodeTypeNotFound(f"there is no node type {name[:100]!r}; GET /api/v1/node-types lists those there are")
    return found


async def _told(workflow: Workflow, context: ServiceContext, uow: UnitOfWork, findings: Sequence[Finding] = ()) -> Reply[WorkflowView]:
    """The answer to a move that others are told of, sent when they have heard."""
    shown = await store.get_version(uow, workflow.slug, workflow.version)
    reply = Reply(schemas.workflow(workflow, shown, findings), etag=workflow.etag)
    return waiting.when_installed(context, uow.tenant, workflow, reply)


def _require_publish(sent: Sent, caller: Caller | None) -> None:
    """Whoever creates an active workflow publishes it, which needs that permission too. Raises: Forbidden."""
    if sent.active and (caller is None or not caller.may(Permission.WORKFLOWS_PUBLISH)):
        raise Forbidden(f"publishing needs the permission {Permission.WORKFLOWS_PUBLISH}; send status draft, or ask for a role that has it")
