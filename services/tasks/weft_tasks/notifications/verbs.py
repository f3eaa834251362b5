"""The verbs on notifications: telling people, and what they do with what they were told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from weft_contracts.activities import ActivityCompleted, ActivityFailed
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.executions import ExecutionFailed, ExecutionTimedOut, Failure
from weft_contracts.notifications import NotificationCreated, NotificationsRead, SendNotification
from weft_language.actions.notification.model import NotificationSendWith
from weft_language.model.part import RENDERED
from weft_runtime.uow import UnitOfWork

from weft_tasks import store as tasks
from weft_tasks.errors import PreferencesMoved
from weft_tasks.notifications import REACHES_AT_MOST, Audience, Channel, Note, Reached, causes, id_of
from weft_tasks.notifications.preferences import NOTHING_CHOSEN, Preferences, channels_of, send_at
from weft_tasks.notifications.schemas import document_of, preferences_of
from weft_tasks.store import connections, people, sending
from weft_tasks.store import notifications as store
from weft_tasks.store.people import Member
from weft_tasks.task import Who, normal_name


async def tell(notes: Sequence[Note], uow: UnitOfWork) -> None:
    """Tell people what has happened, each by the ways that they chose. What was told before is not told again."""
    for note in notes:
        members = await _members(note.to, uow)
        await _tell(note, members[:REACHES_AT_MOST], uow)


async def send(cmd: SendNotification, uow: UnitOfWork) -> None:
    """Tell people what a workflow says, and the workflow how many they are. The same again gives the same answer."""
    step: dict[str, Any] = {"execution_id": cmd.execution_id, "node": cmd.node, "visit": cmd.visit, "attempt": cmd.attempt}
    try:
        asked = NotificationSendWith.model_validate(cmd.input, context=RENDERED)
    except ValidationError as error:
        uow.say(ActivityFailed(**step, error=_bad_request(cmd.node, error)))
        return
    to = Audience(tuple(map(normal_name, asked.to.users)), tuple(asked.to.roles), tuple(asked.to.groups))
    members = await _members(to, uow)
    if len(members) > REACHES_AT_MOST:
        message = f"it is for more than {REACHES_AT_MOST} people, the most that one notification may reach; name fewer roles or groups"
        details = {"limit": REACHES_AT_MOST}
        failure = Failure(code="notification_too_many", message=message, node=cmd.node, permanent=True, details=details)
        uow.say(ActivityFailed(**step, error=failure))
        return
    about = {"execution_id": str(cmd.execution_id), "workflow": cmd.workflow, "node": cmd.node}
    await _tell(Note(asked.event, cmd.key, asked.title, to, asked.text, asked.link, about=about), members, uow)
    reached = Reached(len(members), _unknown(to, members))
    unknown = {"users": list(reached.unknown.users), "roles": list(reached.unknown.roles), "groups": list(reached.unknown.groups)}
    uow.say(ActivityCompleted(**step, output={"reached": reached.people, "unknown": unknown}))


async def tell_overdue(uow: UnitOfWork, limit: int) -> bool:
    """Tell of tasks that are due and undecided, some at a time, each once. Returns: whether there may be more."""
    found = await tasks.overdue_tasks(uow, limit)
    await tell([causes.overdue(task) for task in found], uow)
    await tasks.remember_overdue(uow, [task.id for task in found])
    return len(found) == limit


async def tell_of_failure(fact: ExecutionFailed | ExecutionTimedOut, uow: UnitOfWork) -> None:
    """Tell who started an execution, and whose workflow it is, that it failed."""
    if fact.parent is None:
        await tell(causes.of_failure(fact, await store.owner_of(uow, fact.workflow)), uow)


async def own_workflow(fact: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep whose a workflow is: whom its label `owner` names, else who changed it last."""
    owner = fact.labels.get("owner") or fact.by
    await store.own_workflow(uow, fact, normal_name(owner) if owner else None)


async def keep_connection(fact: ConnectionSaved | ConnectionRemoved, uow: UnitOfWork) -> None:
    """Keep by which connections notifications are sent."""
    await connections.keep(uow, fact)


async def hold_connection(fact: ConnectionSuspended | ConnectionResumed, uow: UnitOfWork) -> None:
    """Keep which of them are held up."""
    await connections.hold(uow, fact)


async def read(notification_id: UUID, who: Who, uow: UnitOfWork) -> Any:
    """Note that somebody has read one of theirs; again changes nothing. Returns: its row. Raises: NotificationNotFound."""
    found = await store.get(uow, notification_id, who.selves, lock=True)
    if found.read_at is not None:
        return found
    await store.mark_read(uow, notification_id)
    left = await count_unread(who, uow)
    uow.say(NotificationsRead(user=found.user_id, notification_id=notification_id, unread=left, at=uow.now))
    return await store.get(uow, notification_id, who.selves)


async def read_all(who: Who, upto: datetime | None, uow: UnitOfWork) -> tuple[int, int]:
    """Note that somebody has read all of theirs. Returns: how many were not read before, and how many are not now."""
    newest = upto.replace(tzinfo=UTC) if upto is not None and upto.tzinfo is None else upto
    marked = await store.mark_all_read(uow, who.selves, newest)
    left = await count_unread(who, uow)
    if marked:
        uow.say(NotificationsRead(user=who.by, unread=left, at=uow.now))
    return marked, left


async def count_unread(who: Who, uow: UnitOfWork) -> int:
    """How many somebody has not read."""
    return sum((await store.unread(uow, who.selves)).values())


async def preferences(who: Who, uow: UnitOfWork) -> tuple[Preferences, int]:
    """What somebody has chosen, and its version; 0 where they chose nothing."""
    row = (await store.chosen(uow, {who.by})).get(who.by)
    return (NOTHING_CHOSEN, 0) if row is None else (preferences_of(row.document), row.version)


async def choose(chosen: Preferences, etag: str | None, who: Who, uow: UnitOfWork) -> int:
    """Keep what somebody chooses. etag: the version that it is to replace, None for any. Returns: its version. Raises: PreferencesMoved."""
    await tasks.order(uow, f"preferences of {uow.tenant}:{who.by}")
    _, version = await preferences(who, uow)
    if etag is not None and etag != str(version):
        raise PreferencesMoved(f"they are at version {version}, not {etag[:40]}; read them again and choose anew")
    return await store.choose(uow, who.by, document_of(chosen))


async def _members(to: Audience, uow: UnitOfWork) -> list[Member]:
    """Everybody whom an audience stands for, at most one more than may be reached.

    In a tenant of which nobody was heard yet (an installation whose people come from elsewhere) who is named is taken as they are named.
    """
    found = await people.audience(uow, to, REACHES_AT_MOST + 1)
    if not found and to.users and not await people.any_person(uow):
        return [Member(name) for name in dict.fromkeys(to.users)]
    return found


async def _tell(note: Note, members: Sequence[Member], uow: UnitOfWork) -> None:
    told = [member for member in members if note.but.isdisjoint(member.names)]
    rows = await store.chosen(uow, {member.id for member in told})
    chosen = {member.id: preferences_of(rows[member.id].document) if member.id in rows else NOTHING_CHOSEN for member in told}
    ways = {member.id: channels_of(chosen[member.id], note.event) for member in told}
    wanted = {id_of(uow.tenant, member.id, note.cause): member for member in told if ways[member.id]}
    added = await store.add(uow, [_row(note, id_, member, ways[member.id]) for id_, member in wanted.items()])
    await _plan([(id_, wanted[id_]) for id_ in added], ways, chosen, uow)
    shown = {id_: wanted[id_].id for id_ in added if Channel.IN_APP in ways[wanted[id_].id]}
    unread = await store.unread(uow, set(shown.values())) if shown else {}
    about: dict[str, Any] = {"event": note.event, "title": note.title, "link": note.link, "at": uow.now}
    uow.say(*(NotificationCreated(notification_id=id_, user=user, unread=unread.get(user, 0), **about) for id_, user in shown.items()))


async def _plan(
    added: Sequence[tuple[UUID, Member]], ways: Mapping[str, frozenset[Channel]], chosen: Mapping[str, Preferences], uow: UnitOfWork
) -> None:
    """Let new notifications be sent by the ways beside the inbox, as far as these lead to whom they are for."""
    if not any(ways[member.id] - {Channel.IN_APP} for _, member in added):
        return
    there = await connections.ways(uow)
    due = [
        {"notification_id": id_, "channel": way.value, "user_id": member.id, "due_at": send_at(chosen[member.id], uow.now)}
        for id_, member in added
        for way in sorted(ways[member.id] & there)
        if (member.email if way is Channel.EMAIL else chosen[member.id].slack)
    ]
    await sending.plan(uow, due)


def _row(note: Note, id_: UUID, member: Member, ways: frozenset[Channel]) -> Mapping[str, Any]:
    execution = note.about.get("execution_id")
    return {
        "id": id_,
        "user_id": member.id,
        "event": note.event,
        "cause": note.cause,
        "title": note.title,
        "text": note.text,
        "link": note.link,
        "about": dict(note.about),
        "execution_id": None if execution is None else UUID(execution),
        "in_app": Channel.IN_APP in ways,
    }


def _unknown(to: Audience, members: Sequence[Member]) -> Audience:
    """The names that stand for nobody."""
    names = frozenset[str]().union(*(member.names for member in members))
    roles = frozenset[str]().union(*(member.roles for member in members))
    groups = frozenset[str]().union(*(member.groups for member in members))
    return Audience(
        tuple(dict.fromkeys(name for name in to.users if name not in names)),
        tuple(dict.fromkeys(name for name in to.roles if name not in roles)),
        tuple(dict.fromkeys(name for name in to.groups if name not in groups)),
    )


def _bad_request(node: str, error: ValidationError) -> Failure:
    """What is wrong with a rendered `with`. Values are not shown: they may be anything."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = [str(part) for part in first["loc"] if isinstance(part, int) or part.isidentifier()]
    pointer = "/".join(("/with", *path))
    message = f"{'.'.join(('with', *path))}: {first['msg']}"
    return Failure(code="notification_bad_request", message=message, node=node, permanent=True, details={"pointer": pointer})
