"""The verbs of rules: load, decide, save, say. A rule and its workflow change in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from weft_language import Finding
from weft_language.model.definition import slug_of
from weft_language.rules import RuleFields, compile_rule, place_in_rule
from weft_runtime.auth import Permission
from weft_runtime.errors import Detail, Forbidden
from weft_runtime.uow import Decision, UnitOfWork

from weft_definitions import documents, domain, store, usecases
from weft_definitions.documents import Admitted, Sent
from weft_definitions.domain import Change, Workflow
from weft_definitions.errors import InvalidDefinition, InvalidRule, NotExecutable, SlugMismatch
from weft_definitions.machine import WorkflowStatus
from weft_definitions.rules import rule as deciding
from weft_definitions.rules.rule import Rule
from weft_definitions.store import rules

_UNUSED: Final = (
    Finding(
        "warning",
        "recipients_unused",
        "/recipients",
        "no action of the rule tells its recipients",
        fix="add a notification, or leave them out",
    ),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule and its workflow as they are now, and what is still worth saying, with pointers into the rule."""

    rule: Rule
    workflow: Workflow
    findings: tuple[Finding, ...] = ()


async def create(slug: str | None, fields: RuleFields, status: WorkflowStatus, uow: UnitOfWork) -> Kept:
    """Make a rule and its workflow. slug: from its name where absent.  Raises: InvalidRule, NotExecutable, SlugTaken, Forbidden."""
    slug = slug or slug_of(fields.name)
    _require_publish(status, uow)
    admitted = await _admitted(slug, fields, status, uow)
    by = _who(uow)
    decision = deciding.create(admitted.content, status, by, uow.now)
    made = Rule(slug, deciding.document_of(fields), 1, by, uow.now, by, uow.now)
    await store.add(uow, decision.state)
    await rules.add(uow, made)
    uow.say(*decision.says)
    return Kept(made, decision.state.workflow, _in_rule(admitted.findings, fields))


async def revise(
    slug: str, named: str | None, fields: RuleFields, status: WorkflowStatus | None, etag: str | None, uow: UnitOfWork
) -> Kept:
    """Let a rule say something else, or stand otherwise. named: the slug that the body gives.  status: as it is where absent.

    Raises: RuleNotFound, EditedSince, SlugMismatch, InvalidRule, NotExecutable, IllegalMove, Forbidden.
    """
    workflow, found = await _locked(slug, etag, uow)
    if named is not None and named != slug:
        raise SlugMismatch(f"the rule's slug is {slug!r} and the body says {named!r}; a slug never changes, so leave it out")
    wanted = status or workflow.status
    _require_publish(wanted, uow)
    admitted = await _admitted(slug, fields, wanted, uow)
    newest = await store.get_version(uow, slug, workflow.version)
    active = await store.active_version(uow, workflow)
    decision = deciding.revise(workflow, newest, active, admitted.content, wanted, _who(uow), uow.now)
    made = deciding.saved(found, deciding.document_of(fields), decision.state, _who(uow), uow.now)
    await rules.save(uow, made)
    return Kept(made, await _settle(decision, uow), _in_rule(admitted.findings, fields))


async def remove(slug: str, etag: str | None, uow: UnitOfWork, *, drain: bool, keep: Literal["workflow"] | None) -> None:
    """Delete a rule, with its workflow or detached from it. drain: also while executions live.  keep: what stays.

    Raises: RuleNotFound, EditedSince, ExecutionsLive.
    """
    workflow, _ = await _locked(slug, etag, uow)
    await rules.remove(uow, slug)
    if keep is None:
        active = await store.active_version(uow, workflow)
        live = await store.count_live(uow, slug)
        await _settle(domain.archive(workflow, active, live, drain=drain, now=uow.now), uow)


async def _locked(slug: str, etag: str | None, uow: UnitOfWork) -> tuple[Workflow, Rule]:
    """A rule and its workflow, held until the transaction ends: the workflow first, as whoever edits one by hand does."""
    await rules.get(uow, slug)
    workflow = await store.get(uow, slug, lock=True)
    found = await rules.get(uow, slug)
    deciding.require_match(found, etag)
    return workflow, found


async def _admitted(slug: str, fields: RuleFields, status: WorkflowStatus, uow: UnitOfWork) -> Admitted:
    sent = Sent(compile_rule(slug, fields), active=status is not WorkflowStatus.DRAFT)
    known = await usecases.known(sent, uow)
    try:
        return await asyncio.to_thread(documents.admit, sent, known)
    except InvalidDefinition as error:
        raise _located(InvalidRule, "the rule has errors; `errors` says where and how to mend them", error, fields) from error
    except NotExecutable as error:
        message = "the rule asks for what cannot be executed yet, so it can be saved as a draft alone"
        raise _located(NotExecutable, message, error, fields) from error


def _located(
    kind: type[InvalidRule | NotExecutable], message: str, error: InvalidDefinition | NotExecutable, fields: RuleFields
) -> InvalidRule | NotExecutable:
    """An error about the definition as one about the rule that it is of."""
    details = [Detail(place_in_rule(one.pointer, fields), one.code, one.detail) for one in error.details]
    return kind(message, details=details)


def _in_rule(findings: Iterable[Finding], fields: RuleFields) -> tuple[Finding, ...]:
    """What is worth saying to the author of a rule: not how its workflow is drawn, and whom no action tells."""
    told = [replace(one, pointer=place_in_rule(one.pointer, fields), node=None, patch=None) for one in findings if one.severity != "info"]
    return (*told, *_UNUSED) if fields.recipients and not fields.tells_recipients else tuple(told)


async def _settle(decision: Decision[Change], uow: UnitOfWork) -> Workflow:
    await store.save(uow, decision.state)
    uow.say(*decision.says)
    return decision.state.workflow


def _require_publish(status: WorkflowStatus, uow: UnitOfWork) -> None:
    caller = uow.caller
    if status is not WorkflowStatus.DRAFT and (caller is None or not caller.may(Permission.WORKFLOWS_PUBLISH)):
        raise Forbidden(f"a rule that is not a draft needs the permission {Permission.WORKFLOWS_PUBLISH}; send status draft")


def _who(uow: UnitOfWork) -> str:
    return "" if uow.caller is None else uow.caller.sub
