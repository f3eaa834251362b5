"""The verbs: load, decide, save, say."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_contracts.definitions import WorkflowInstalled
from weft_language import Finding
from weft_runtime.uow import Decision, UnitOfWork

from weft_definitions import documents, domain, exchange, store
from weft_definitions.documents import Admitted, Known, Sent
from weft_definitions.domain import Change, ExecutionFact, Version, Workflow
from weft_definitions.errors import InvalidDefinition, NotExecutable
from weft_definitions.exchange import Imported
from weft_definitions.store import rules

Findings = tuple[Finding, ...]


async def known(sent: Sent, uow: UnitOfWork) -> Known:
    """What the tenant has of what a definition may name."""
    called = await asyncio.to_thread(documents.called, sent)
    published = await store.published(uow, called) if called else {}
    slugs = await store.slugs(uow) if called - published.keys() else ()
    return Known(await store.connection_types(uow), published, slugs)


async def create(sent: Sent, uow: UnitOfWork) -> tuple[Workflow, Version, Admitted]:
    """Make a workflow of a definition, published at once where that was asked for. Raises: InvalidDefinition, NotExecutable, SlugTaken."""
    admitted = await asyncio.to_thread(documents.admit, sent, await known(sent, uow))
    change = domain.create(admitted.content, _who(uow), uow.now)
    decision = _published(change, uow) if admitted.active else domain.tell_draft(change)
    await store.add(uow, decision.state)
    version = _version_of(decision.state, change.version)
    uow.say(domain.draft_saved(change.workflow.slug, None, version, None), *decision.says)
    return decision.state.workflow, version, admitted


async def revise(slug: str, sent: Sent, etag: str | None, uow: UnitOfWork) -> tuple[Workflow, Version, Admitted]:
    """Give a workflow a new definition. etag: of the state that was changed, None for any.

    Raises: WorkflowNotFound, EditedSince, InvalidDefinition, NotExecutable, SlugMismatch, IllegalMove.
    """
    sent = documents.named(sent, slug)
    admitted = await asyncio.to_thread(documents.admit, sent, await known(sent, uow))
    workflow = await _by_hand(slug, etag, uow)
    newest = await store.get_version(uow, slug, workflow.version)
    change = domain.revise(workflow, newest, admitted.content, _who(uow), uow.now)
    current = change if change.version is not None else Change(change.workflow, newest, changed=False)
    decision = _published(current, uow) if admitted.active else Decision(change, domain.drafted(change))
    await store.save(uow, decision.state)
    if change.version is not None:
        changes = await asyncio.to_thread(documents.changes, newest.document, change.version.document)
        uow.say(domain.draft_saved(slug, newest, change.version, changes))
    uow.say(*decision.says)
    return decision.state.workflow, _version_of(decision.state, current.version), admitted


async def bring_in(imported: Imported, uow: UnitOfWork, *, renew: bool) -> tuple[Workflow, Version, Admitted, bool]:
    """Make a workflow of a file, or give the one there is a new version; and whether it was made. renew: where one has the slug.

    Raises: NotCarriedOver, and as `create` and `revise`.
    """
    exchange.require_carried(imported)
    try:
        if renew and imported.slug is not None and await store.exists(uow, imported.slug):
            return *await revise(imported.slug, imported.sent, None, uow), False
        return *await create(imported.sent, uow), True
    except (InvalidDefinition, NotExecutable) as error:
        raise exchange.explained(error, imported) from None


async def publish(slug: str, number: int | None, note: str | None, etag: str | None, uow: UnitOfWork) -> tuple[Workflow, Findings]:
    """Let new executions run a version; with what is still worth saying about it. number: the newest when None.

    Raises: WorkflowNotFound, VersionNotFound, EditedSince, NotExecutable, IllegalMove.
    """
    workflow = await _by_hand(slug, etag, uow)
    version = await store.get_version(uow, slug, number or workflow.version)
    admitted = await asyncio.to_thread(documents.admit_stored, version.document, await known(Sent(version.document), uow))
    return await _settle(domain.publish(workflow, version, _who(uow), uow.now, note), uow), admitted.findings


async def switch(slug: str, move: str, etag: str | None, uow: UnitOfWork, *, active_is: int | None = None) -> Workflow:
    """Let triggers and people start a workflow again, or no more. move: `activate` or `deactivate`.

    active_is: the version that has to be active, None for any.  Raises: WorkflowNotFound, EditedSince, NotActive, IllegalMove.
    """
    workflow = await _by_hand(slug, etag, uow)
    domain.require_active(workflow, active_is)
    active = await store.active_version(uow, workflow)
    return await _settle(domain.switch(workflow, active, move, uow.now), uow)


async def archive(slug: str, etag: str | None, uow: UnitOfWork, *, drain: bool) -> Workflow:
    """Delete a workflow and keep its history. drain: also while executions live. Raises: WorkflowNotFound, EditedSince, ExecutionsLive."""
    workflow = await _by_hand(slug, etag, uow)
    active = await store.active_version(uow, workflow)
    live = await store.count_live(uow, slug)
    return await _settle(domain.archive(workflow, active, live, drain=drain, now=uow.now), uow)


async def roll_back(slug: str, number: int, note: str | None, etag: str | None, uow: UnitOfWork) -> tuple[Workflow, Findings]:
    """Publish what an earlier version held as a new version; with what is still worth saying about it.

    Raises: WorkflowNotFound, VersionNotFound, EditedSince, NotExecutable, IllegalMove.
    """
    workflow = await _by_hand(slug, etag, uow)
    earlier = await store.get_version(uow, slug, number)
    admitted = await asyncio.to_thread(documents.admit_stored, earlier.document, await known(Sent(earlier.document), uow))
    return await _settle(domain.roll_back(workflow, earlier, admitted.content, _who(uow), uow.now, note), uow), admitted.findings


async def note_installed(msg: WorkflowInstalled, uow: UnitOfWork) -> None:
    """Remember who has stored which revision of a workflow."""
    await store.note_installed(uow, msg.slug, msg.service, msg.revision)


async def keep_connection(msg: ConnectionSaved, uow: UnitOfWork) -> None:
    """Remember that there is a connection."""
    await store.keep_connection(uow, msg)


async def remove_connection(msg: ConnectionRemoved, uow: UnitOfWork) -> None:
    """Remember that a connection is gone."""
    await store.remove_connection(uow, msg)


async def count_executions(facts: Sequence[tuple[str, ExecutionFact]], uow: UnitOfWork) -> None:
    """Keep count of what runs. facts: each with its tenant, in the order they were said."""
    added, removed = domain.count(facts)
    await store.add_live(uow, added)
    await store.remove_live(uow, removed)


def _published(change: Change, uow: UnitOfWork) -> Decision[Change]:
    version = _version_of(change, change.version)
    return domain.publish(change.workflow, version, _who(uow), uow.now)


def _version_of(change: Change, otherwise: Version | None) -> Version:
    version = change.version or otherwise
    if version is None:
        raise ValueError(f"a change of {change.workflow.slug} came without a version")
    return version


async def _by_hand(slug: str, etag: str | None, uow: UnitOfWork) -> Workflow:
    """A workflow that is to be changed by hand, held until the transaction ends. Raises: WorkflowNotFound, ManagedByRule, EditedSince."""
    workflow = await store.get(uow, slug, lock=True)
    await rules.refuse_managed(uow, slug)
    domain.require_match(workflow, etag)
    return workflow


async def _settle(decision: Decision[Change], uow: UnitOfWork) -> Workflow:
    await store.save(uow, decision.state)
    uow.say(*decision.says)
    return decision.state.workflow


def _who(uow: UnitOfWork) -> str:
    return "" if uow.caller is None else uow.caller.sub
