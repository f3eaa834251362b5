"""Definitions as files, out and in, and as pictures."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.responses import Response
from weft_language.diagram import mermaid, svg
from weft_runtime.auth import Permission
from weft_runtime.http import RawBody, Reply, Uow

from weft_definitions import exchange, schemas, store, usecases
from weft_definitions.api.routes import AskedNumber, ContentType, door
from weft_definitions.exchange import Format
from weft_definitions.schemas import ImportView

_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_FILE: dict[str, Any] = {
    "content": {"application/json": {"schema": {"type": "object"}}, "application/yaml": {"schema": {"type": "object"}}}
}
_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The definition as a file.",
        "content": {"application/json": {"schema": {"type": "object"}}, "application/yaml": _TEXT},
    }
}
_DRAWN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {"image/svg+xml": _TEXT, "text/vnd.mermaid": _TEXT},
    }
}
_AS_A_PICTURE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox", "X-Content-Type-Options": "nosniff"}
"""Opened by itself, a picture runs nothing and loads nothing, whatever a bug may let into it."""
_SEEN: dict[int | str, dict[str, Any]] = {
    200: {"model": ImportView, "description": "Nothing was saved, or the workflow that was there has it."}
}
_IMPORTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A definition (weft/v1) or a Serverless Workflow (DSL 1.0), or `{format, document, slug}`; JSON or YAML.",
        **_FILE,
    }
}


@door.get("/workflows/{slug}/export", may=Permission.WORKFLOWS_READ, responses=_EXPORTED, response_class=Response)
async def export_workflow(
    slug: str,
    uow: Uow,
    format: Annotated[
        Format, Query(description="weft is JSON; so is serverless-workflow, which names in `document.metadata` what it lacks.")
    ] = "weft",
    version: AskedNumber | None = None,
) -> Response:
    """The newest definition of a workflow, or that of `version`, as a file."""
    workflow = await store.get(uow, slug)
    shown = await store.get_version(uow, slug, version or workflow.version)
    exported = await asyncio.to_thread(exchange.export, workflow.slug, shown, format)
    headers = {"Content-Disposition": f'attachment; filename="{exported.filename}"', "Weft-Findings": str(len(exported.findings))}
    return Response(exported.body, media_type=exported.media_type, headers=headers)


@door.get("/workflows/{slug}/diagram", may=Permission.WORKFLOWS_READ, responses=_DRAWN, response_class=Response)
async def draw_workflow(
    slug: str,
    uow: Uow,
    format: Annotated[Literal["svg", "mermaid"], Query(description="A picture, or the text of a flowchart for Mermaid.")] = "svg",
    version: AskedNumber | None = None,
) -> Response:
    """The picture of a workflow's newest definition, or of that of `version`; the same for the same definition."""
    workflow = await store.get(uow, slug)
    shown = await store.get_version(uow, slug, version or workflow.version)
    draw, media_type = (svg, "image/svg+xml") if format == "svg" else (mermaid, "text/vnd.mermaid; charset=utf-8")
    text = await asyncio.to_thread(draw, shown.document)
    return Response(text, media_type=media_type, headers=_AS_A_PICTURE)


@door.post("/workflows/import", may=Permission.WORKFLOWS_WRITE, status=201, responses=_SEEN, openapi_extra=_IMPORTED)
async def import_workflow(
    body: RawBody,
    uow: Uow,
    content_type: ContentType = None,
    format: Annotated[Format | None, Query(description="What it is; seen by the document itself when left out.")] = None,
    slug: Annotated[str | None, Query(max_length=100, description="Instead of the document's own.")] = None,
    existing: Annotated[
        Literal["refuse", "version"], Query(description="What becomes of a workflow that has the slug: 409, or a new version.")
    ] = "refuse",
    dry_run: Annotated[bool, Query(description="Say what would come of it, and save nothing.")] = False,
) -> Reply[ImportView]:
    """Make a draft of a document, and name whatever could not be carried over.

    Findings of the codes not_carried, carried_otherwise and left_out point into what was sent, all others into the definition.
    """
    imported = await asyncio.to_thread(exchange.read, body, content_type, format, slug)
    if dry_run:
        valid, findings = await asyncio.to_thread(exchange.verdict, imported, await usecases.known(imported.sent, uow))
        return Reply(schemas.import_preview(imported, valid, findings), status=200)
    workflow, version, admitted, made = await usecases.bring_in(imported, uow, renew=existing == "version")
    view = schemas.imported(imported, workflow, version, admitted.findings)
    headers = {"Location": f"/api/v1/workflows/{workflow.slug}"} if made else {}
    return Reply(view, etag=workflow.etag, status=201 if made else 200, headers=headers)
