"""The verbs of templates: load, decide, save."""

from __future__ import annotations

import asyncio
from typing import Any

from weft_language import Finding
from weft_runtime.uow import UnitOfWork

from weft_definitions import store as workflows
from weft_definitions import templates, usecases
from weft_definitions.documents import Admitted, Sent
from weft_definitions.domain import Version, Workflow
from weft_definitions.errors import InvalidDefinition, TemplateNotFound, TemplateVersionNotFound, TooManyTemplates
from weft_definitions.store import templates as store
from weft_definitions.templates import Listed, Template, builtins, checking
from weft_definitions.templates.schemas import ContentBody, InstantiateBody, TemplateBody


async def listed(uow: UnitOfWork) -> list[Listed]:
    """Every template that the tenant sees, by slug, each with its newest version."""
    return templates.visible(await store.own(uow), await store.shared(uow), [one.listed for one in builtins.builtin()])


async def find(slug: str, version: int | None, uow: UnitOfWork) -> Template:
    """A template that the tenant sees, with its newest version or the one that is asked for.

    Raises: TemplateNotFound, TemplateVersionNotFound.
    """
    found = await store.find(uow, slug, version) or builtins.find(slug)
    if found is None:
        raise TemplateNotFound(f"there is no template {slug[:100]!r}; GET /api/v1/templates lists those there are")
    if version is not None and found.version != version:
        raise TemplateVersionNotFound(f"template {slug} is here in version {found.latest} alone, not {version}")
    return found


async def create(body: TemplateBody, uow: UnitOfWork) -> tuple[Template, tuple[Finding, ...]]:
    """Keep a new template. Raises: TemplateInvalid, TemplateTaken, TooManyTemplates, Forbidden."""
    templates.require_sharing(body.shared_with, (), uow.caller)
    content = body.content(body.slug)
    findings = await asyncio.to_thread(checking.check, content)
    if await store.count(uow) >= templates.MOST:
        raise TooManyTemplates(f"a tenant has at most {templates.MOST} templates; delete one")
    made = templates.create(content, body.shared_with or (), body.note, _who(uow), uow.now)
    await store.add(uow, made, taken=builtins.find(body.slug) is not None)
    return made, findings


async def revise(slug: str, body: ContentBody, etag: str | None, uow: UnitOfWork) -> tuple[Template, tuple[Finding, ...]]:
    """Give a template of the tenant's own a new version. Raises: TemplateNotFound, EditedSince, TemplateInvalid, Forbidden."""
    was = await store.get_own(uow, slug)
    templates.require_match(was, etag)
    templates.require_sharing(body.shared_with, was.shared_with, uow.caller)
    content = body.content(slug)
    findings = await asyncio.to_thread(checking.check, content)
    changed = templates.revise(was, content, body.shared_with, body.note, uow.now)
    await store.save(uow, was, changed, _who(uow))
    return changed, findings


async def remove(slug: str, etag: str | None, uow: UnitOfWork) -> None:
    """Delete a template of the tenant's own; workflows made of it stay. Raises: TemplateNotFound, EditedSince."""
    templates.require_match(await store.get_own(uow, slug), etag)
    await store.remove(uow, slug)


async def instantiate(slug: str, body: InstantiateBody, uow: UnitOfWork) -> tuple[Workflow, Version, Admitted, dict[str, Any], bool]:
    """Make a draft of a template; and what it was made of, and whether it is a new workflow.

    Raises: TemplateNotFound, TemplateVersionNotFound, ParametersInvalid, TierTooLow, InvalidDefinition, SlugTaken.
    """
    template = await find(slug, body.version, uow)
    content = template.content
    renew = body.existing == "version" and body.slug is not None and await workflows.exists(uow, body.slug)
    before = await _made_by(uow, str(body.slug), slug) if renew else checking.NOTHING
    given = {**before.parameters, **body.parameters}
    checking.require_parameters(content, given)
    tier = None if uow.caller is None else uow.caller.tier
    wanted = before.still(content, tier) if body.enhancements is None else body.enhancements
    points = checking.chosen(content, wanted, tier)
    document = await asyncio.to_thread(checking.filled, content, given, points, body.name)
    made_of = checking.made_of(template, given, points)
    document = {**checking.addressed(document, body.slug), checking.MADE_OF: made_of}
    try:
        if renew:
            return *await usecases.revise(document["slug"], Sent(document), None, uow), made_of, False
        return *await usecases.create(Sent(document), uow), made_of, True
    except InvalidDefinition as error:
        error.extra = {**error.extra, "definition": document}
        raise


async def _made_by(uow: UnitOfWork, slug: str, template: str) -> checking.MadeBy:
    """What a workflow was made by, as far as its newest version still tells; nothing where it was made of another template."""
    workflow = await workflows.get(uow, slug)
    return checking.made_by((await workflows.get_version(uow, slug, workflow.version)).document, template)


def _who(uow: UnitOfWork) -> str:
    return "" if uow.caller is None else uow.caller.sub
