"""Templates: finding them, keeping one's own, and making workflows of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import IfMatch, Listing, Page, Reply, Uow

from weft_definitions import schemas, templates
from weft_definitions.api.routes import AskedNumber, door
from weft_definitions.labels import wanted
from weft_definitions.store import templates as store
from weft_definitions.templates import schemas as views
from weft_definitions.templates import verbs
from weft_definitions.templates.schemas import (
    ContentBody,
    InstantiateBody,
    InstantiatedView,
    MadeOf,
    TemplateBody,
    TemplateSummary,
    TemplateVersion,
    TemplateView,
)

_RENEWED: dict[int | str, dict[str, Any]] = {
    200: {"model": InstantiatedView, "description": "The workflow that was there has a new version."}
}


@door.get("/templates", may=Permission.WORKFLOWS_READ)
async def list_templates(
    page: Page,
    uow: Uow,
    q: Annotated[str | None, Query(max_length=200, description="In slug, name, description or category.")] = None,
    category: Annotated[str | None, Query(max_length=100)] = None,
    label: Annotated[tuple[str, ...], Query(max_length=20, description="As of workflows.")] = (),
    source: Annotated[Literal["own", "shared", "builtin"] | None, Query(description="Whose they are.")] = None,
) -> Listing[TemplateSummary]:
    """The templates that workflows can be made of, by slug."""
    labels = wanted(label)
    found = [one for one in await verbs.listed(uow) if templates.fits(one, q, category, labels, source)]
    rows = [one for one in found if page.after is None or one.slug > page.after[0]][: page.limit + 1]
    return page.listing(rows, view=views.summary, key=lambda one: (one.slug,))


@door.post("/templates", may=Permission.WORKFLOWS_WRITE, status=201)
async def create_template(body: TemplateBody, uow: Uow) -> Reply[TemplateView]:
    """Keep a template of the tenant's own, once the workflow that its example makes is without errors."""
    made, findings = await verbs.create(body, uow)
    return Reply(views.view(made, _tier(uow), findings), etag=made.etag, headers={"Location": f"/api/v1/templates/{made.slug}"})


@door.get("/templates/{slug}", may=Permission.WORKFLOWS_READ)
async def get_template(slug: str, uow: Uow, version: AskedNumber | None = None) -> Reply[TemplateView]:
    """A template with its newest version, or that of `version`."""
    found = await verbs.find(slug, version, uow)
    return Reply(views.view(found, _tier(uow)), etag=found.etag)


@door.put("/templates/{slug}", may=Permission.WORKFLOWS_WRITE)
async def put_template(slug: str, body: ContentBody, etag: IfMatch, uow: Uow) -> Reply[TemplateView]:
    """Give a template of the tenant's own a new version. Workflows made of it stay as they are."""
    changed, findings = await verbs.revise(slug, body, etag, uow)
    return Reply(views.view(changed, _tier(uow), findings), etag=changed.etag)


@door.delete("/templates/{slug}", may=Permission.WORKFLOWS_WRITE, status=204)
async def delete_template(slug: str, etag: IfMatch, uow: Uow) -> None:
    """Delete a template of the tenant's own. Workflows made of it stay."""
    await verbs.remove(slug, etag, uow)


@door.get("/templates/{slug}/versions", may=Permission.WORKFLOWS_READ)
async def list_template_versions(slug: str, page: Page, uow: Uow) -> Listing[TemplateVersion]:
    """The versions of a template, newest first; of one that is shared or built in only the one there is to be seen."""
    found = await verbs.find(slug, None, uow)
    if found.source != "own":
        return page.of([TemplateVersion(version=found.latest, note=found.note, created_by="", created_at=found.updated_at)])
    rows = await store.versions(uow, slug, after=page.after[0] if page.after else None, limit=page.limit + 1)
    return page.listing(
        rows,
        view=lambda row: TemplateVersion(
            version=row["number"], note=row["note"], created_by=row["created_by"], created_at=row["created_at"]
        ),
        key=lambda row: (row["number"],),
    )


@door.post("/templates/{slug}/instantiate", may=Permission.WORKFLOWS_WRITE, status=201, responses=_RENEWED)
async def instantiate_template(slug: str, uow: Uow, body: InstantiateBody | None = None) -> Reply[InstantiatedView]:
    """Make a workflow of a template: a draft, with what is worth saying of it."""
    workflow, version, admitted, made_of, new = await verbs.instantiate(slug, body or InstantiateBody(), uow)
    shown = schemas.workflow(workflow, version, admitted.findings)
    template = MadeOf(**{name: made_of[name] for name in ("slug", "version", "source", "enhancements")})
    headers = {"Location": f"/api/v1/workflows/{workflow.slug}"} if new else {}
    view = InstantiatedView(**shown.model_dump(), template=template)
    return Reply(view, etag=workflow.etag, status=201 if new else 200, headers=headers)


def _tier(uow: Uow) -> str | None:
    return None if uow.caller is None else uow.caller.tier
