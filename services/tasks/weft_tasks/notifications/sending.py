"""The verbs on what is sent to people by mail and by Slack. The sending itself is a worker's, where the secrets of connections are.

A message is written, sealed, in the transaction that asks a worker for it, and asked for until there is an answer. So none is lost, and who
takes it twice knows it by its key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from weft_contracts.activities import ActivityAccepted, ActivityCompleted, ActivityFailed, ActivityHeartbeat, ActivityRequested
from weft_runtime.clock import new_id
from weft_runtime.sealing import Seal
from weft_runtime.uow import UnitOfWork

from weft_tasks import store as tasks
from weft_tasks.decision_links import Links
from weft_tasks.decision_links import verbs as links
from weft_tasks.machine import LIVE
from weft_tasks.notifications import Audience, Channel, outbound
from weft_tasks.notifications.messages import ACTIVITIES, Piece, address, mail, parts, slack
from weft_tasks.notifications.outbound import Outbound
from weft_tasks.notifications.preferences import NOTHING_CHOSEN, Preferences, awake, channels_of
from weft_tasks.notifications.schemas import preferences_of
from weft_tasks.notifications.unsubscribing import Stops
from weft_tasks.store import connections, people
from weft_tasks.store import notifications as told
from weft_tasks.store import sending as store
from weft_tasks.store.people import Member
from weft_tasks.store.sending import Waiting

NODE: Final = "notification"
LOOK_AGAIN: Final = timedelta(minutes=1)
"""How long something is put off whose way is held up."""
DECIDED_BY_MAIL: Final = frozenset(f"task.{word}" for word in ("assigned", "reassigned", "delegated", "reminder", "overdue", "escalated"))
"""Events with which whoever has the task gets a decision link."""


@dataclass(frozen=True, slots=True)
class Office:
    """What messages are written with. public_url: where browsers reach this installation, None where nobody said.

    deciding: whether mails carry decision links.
    """

    secrets: tuple[str, ...]
    public_url: str | None
    deciding: bool

    def close(self, content: Mapping[str, Any], about: UUID) -> bytes:
        """What is sent, sealed."""
        return self._seal().close(json.dumps(content).encode(), str(about))

    def open(self, sealed: bytes | None, about: UUID) -> Any:
        """What is sent, None where it cannot be read any more."""
        content = None if sealed is None else self._seal().open(sealed, str(about))
        return None if content is None else json.loads(content)

    def _seal(self) -> Seal:
        return Seal(self.secrets[0], "notification messages", self.secrets[1:])


async def send_due(office: Office, uow: UnitOfWork, limit: int) -> bool:
    """Write messages of what is due, one to each person by each way. Returns: whether there may be more."""
    found = await store.due(uow, limit)
    groups: dict[tuple[str, Channel], list[Waiting]] = {}
    for one in found:
        groups.setdefault((one.user, one.channel), []).append(one)
    if groups:
        ways, held_up = await connections.ways(uow), await connections.held_up(uow)
        users = tuple({user for user, _ in groups})
        members = {member.id: member for member in await people.audience(uow, Audience(users), len(users))}
        rows = await told.chosen(uow, users)
        for (user, channel), waiting in groups.items():
            chosen = preferences_of(rows[user].document) if user in rows else NOTHING_CHOSEN
            to = _reached_at(members.get(user), chosen, channel) if channel in ways else None
            await _send(office, channel, to, members.get(user), chosen, waiting, held_up, uow)
    return len(found) == limit


async def ask_again(office: Office, uow: UnitOfWork, limit: int) -> bool:
    """Ask once more for messages that failed or got no answer. Returns: whether there may be more."""
    found = await store.due_again(uow, limit)
    held_up = await connections.held_up(uow) if found else frozenset()
    rows = await told.chosen(uow, {message.user for message, _ in found}) if found else {}
    for message, sealed in found:
        chosen = preferences_of(rows[message.user].document) if message.user in rows else NOTHING_CHOSEN
        later = uow.now + LOOK_AGAIN if message.channel in held_up else awake(chosen, uow.now)
        if later > uow.now:
            await store.save(uow, outbound.put_off(message, later))
            continue
        content = office.open(sealed, message.id)
        again = outbound.unreadable(message, uow.now) if content is None else outbound.again(message, uow.now)
        await store.save(uow, again)
        if again.status is outbound.Sending.ASKED:
            uow.say(_request(again, content))
    return len(found) == limit


async def answered(fact: ActivityCompleted | ActivityFailed | ActivityAccepted | ActivityHeartbeat, uow: UnitOfWork) -> None:
    """Note what a worker says of a message. One that is no longer kept is nobody's."""
    message = await store.find(uow, fact.execution_id)
    if message is None:
        return
    if isinstance(fact, ActivityCompleted):
        now = outbound.sent(message, fact.output, uow.now)
    elif isinstance(fact, ActivityFailed):
        now = outbound.failed(message, fact.error, fact.attempt, uow.now)
    else:
        now = outbound.heard(message, fact.attempt, uow.now)
    if now is not message:
        await store.save(uow, now)


async def _send(
    office: Office,
    channel: Channel,
    to: str | None,
    member: Member | None,
    chosen: Preferences,
    waiting: Sequence[Waiting],
    held_up: frozenset[Channel],
    uow: UnitOfWork,
) -> None:
    """Write messages of what waits for one person by one way. to: where they are reached by it, None where they are not."""
    wanted = [one for one in waiting if to is not None and not one.read and channel in channels_of(chosen, one.event)]
    unwanted = {one.notification_id for one in waiting} - {one.notification_id for one in wanted}
    if unwanted:
        await store.give_up(uow, channel, unwanted)
    later = uow.now + LOOK_AGAIN if channel in held_up else awake(chosen, uow.now)
    if wanted and later > uow.now:
        await store.put_off(uow, channel, {one.notification_id for one in wanted}, later)
        return
    pieces = [await _piece(office, channel, one, member, uow) for one in wanted]
    for part in parts(channel, pieces):
        message = outbound.written(new_id(), wanted[0].user, channel, uow.now)
        stop = _stop(office, message.user, uow.tenant)
        content = slack(to or "", pieces[part]) if channel is Channel.SLACK else mail(to or "", pieces[part], stop)
        await store.add(uow, message, office.close(content, message.id), {one.notification_id for one in wanted[part]})
        uow.say(_request(message, content))


def _request(message: Outbound, content: Any) -> ActivityRequested:
    return ActivityRequested(
        execution_id=message.id,
        node=NODE,
        visit=1,
        attempt=message.attempt,
        name=ACTIVITIES[message.channel],
        input=content,
        key=message.key,
        lease_s=outbound.LEASE.total_seconds(),
    )


async def _piece(office: Office, channel: Channel, one: Waiting, member: Member | None, uow: UnitOfWork) -> Piece:
    decide = await _decision(office, one, member, uow) if channel is Channel.EMAIL else None
    return Piece(one.title, one.text, address(one.link, office.public_url), decide)


async def _decision(office: Office, one: Waiting, member: Member | None, uow: UnitOfWork) -> str | None:
    """Where whoever has the task that this is about decides it without signing in, as it is now; None where there is nothing to decide."""
    if not office.deciding or office.public_url is None or member is None or one.event not in DECIDED_BY_MAIL:
        return None
    task = await tasks.find(uow, UUID(one.about["task_id"]))
    if task is None or task.status not in LIVE or task.paused_since is not None or task.assignee not in member.names:
        return None
    token = Links(office.secrets).token(await links.make_mailed(task, uow))
    return address(f"/decisions/{token}", office.public_url)


def _stop(office: Office, user: str, tenant: str) -> str | None:
    token = Stops(office.secrets).token(tenant, user, Channel.EMAIL)
    return address(f"/unsubscribe/{token}", office.public_url)


def _reached_at(member: Member | None, chosen: Preferences, channel: Channel) -> str | None:
    """Where somebody active is reached by a way. Only an address that the directory knows is written to."""
    if member is None:
        return None
    return chosen.slack if channel is Channel.SLACK else member.email or None
