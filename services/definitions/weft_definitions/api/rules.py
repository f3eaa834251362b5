"""The HTTP door of rules."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC
from typing import Annotated, Literal, cast

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.errors import Invalid
from weft_runtime.http import Context, IfMatch, Listing, Page, Reply, Several, Uow
from weft_runtime.uow import UnitOfWork

from weft_definitions import store, waiting
from weft_definitions.api.routes import door
from weft_definitions.asking import verbs as asking
from weft_definitions.asking.waiting import answered
from weft_definitions.errors import Unanswered
from weft_definitions.machine import WorkflowStatus
from weft_definitions.rules import schemas, trying, verbs
from weft_definitions.rules.rows import rows_of
from weft_definitions.rules.schemas import Rows, RuleBody, RuleSummary, RuleView, TrialBody, TrialUnanswered, TrialView
from weft_definitions.rules.verbs import Kept
from weft_definitions.settings import Settings
from weft_definitions.store import questions, rules


@door.get("/rules", may=Permission.WORKFLOWS_READ)
async def list_rules(
    page: Page,
    uow: Uow,
    status: Annotated[tuple[Literal["active", "inactive", "draft"], ...], Several, Query()] = (),
    entity_type: Annotated[str | None, Query(max_length=200, description="What they watch.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="In slug, name or description.")] = None,
) -> Listing[RuleSummary]:
    """The rules, newest first."""
    wanted = [WorkflowStatus(one) for one in status]
    found = await rules.list_rules(uow, status=wanted, entity_type=entity_type, text=q, after=page.after, limit=page.limit + 1)
    return page.listing([Kept(*pair) for pair in found], view=schemas.summary, key=lambda kept: (kept.rule.created_at, kept.rule.slug))


@door.post("/rules", may=Permission.WORKFLOWS_WRITE, status=201)
async def create_rule(body: RuleBody, context: Context, uow: Uow) -> Reply[RuleView]:
    """Make a rule and the workflow that it is underneath; a draft, unless the body says otherwise."""
    kept = await verbs.create(body.slug, body, body.wanted or WorkflowStatus.DRAFT, uow)
    reply = Reply(schemas.view(kept), etag=kept.rule.etag, headers={"Location": f"/api/v1/rules/{kept.rule.slug}"})
    return waiting.when_installed(context, uow.tenant, kept.workflow, reply)


@door.get("/rules/{slug}", may=Permission.WORKFLOWS_READ)
async def get_rule(slug: str, uow: Uow) -> Reply[RuleView]:
    """A rule."""
    kept = await _kept(slug, uow)
    return Reply(schemas.view(kept), etag=kept.rule.etag)


@door.put("/rules/{slug}", may=Permission.WORKFLOWS_WRITE)
async def put_rule(slug: str, body: RuleBody, etag: IfMatch, context: Context, uow: Uow) -> Reply[RuleView]:
    """Let a rule say something else, or make it active or inactive. An active one goes by what it says now at once."""
    kept = await verbs.revise(slug, body.slug, body, body.wanted, etag, uow)
    reply = Reply(schemas.view(kept), etag=kept.rule.etag)
    draft = kept.workflow.status is WorkflowStatus.DRAFT
    return reply if draft else waiting.when_installed(context, uow.tenant, kept.workflow, reply)


@door.delete("/rules/{slug}", may=Permission.WORKFLOWS_WRITE, status=204)
async def delete_rule(
    slug: str,
    etag: IfMatch,
    uow: Uow,
    force: Annotated[Literal["drain"] | None, Query(description="Delete although executions live; they end by themselves.")] = None,
    keep: Annotated[Literal["workflow"] | None, Query(description="Let its workflow stay as it is, to be changed by hand.")] = None,
) -> None:
    """Delete a rule and its workflow; their history stays."""
    await verbs.remove(slug, etag, uow, drain=force == "drain", keep=keep)


@door.get("/rules/{slug}/rows", may=Permission.WORKFLOWS_READ)
async def get_rule_rows(slug: str, uow: Uow) -> Rows:
    """A rule as rows: definition, triggers, conditions, actions, recipients."""
    return Rows(**rows_of(uow.tenant, await _kept(slug, uow)))


@door.post("/rules/{slug}/test", may=Permission.WORKFLOWS_READ)
async def try_rule(slug: str, body: TrialBody, context: Context, uow: Uow) -> Reply[TrialView | TrialUnanswered]:
    """Try the newest version of a rule with a sample: which conditions hold, what would be done, to whom. Nothing is done."""
    kept = await _kept(slug, uow)
    fields, at = kept.rule.fields, (body.at or uow.now).astimezone(UTC)
    event = trying.event_of(body, fields, at)
    looks = await asyncio.to_thread(trying.looked_at, fields, event, at, uow.tenant)
    version = await store.get_version(uow, slug, kept.workflow.version)
    asked = await asking.simulate(slug, version.document, event, at, uow)
    tenant = uow.tenant
    reply: Reply[TrialView | TrialUnanswered] = Reply(TrialUnanswered(rule=slug), status=202)

    async def then() -> Reply[TrialView | TrialUnanswered]:
        found = await answered(context, tenant, asked, cast(Settings, context.settings).answer_wait_s)
        async with context.transaction(tenant) as later:
            await questions.forget(later, asked)
        if found is None:
            raise Unanswered("the engine, which tries rules, has not answered; try again", retry_after_s=5)
        if found.answer is None:
            raise Invalid(str((found.problem or {}).get("detail")), code=str((found.problem or {}).get("code")))
        return Reply(trying.told(slug, version.number, fields, event, looks, found.answer))

    return replace(reply, then=then)


async def _kept(slug: str, uow: UnitOfWork) -> Kept:
    return Kept(await rules.get(uow, slug), await store.get(uow, slug))
