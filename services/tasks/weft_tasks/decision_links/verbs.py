"""The verbs on decision links."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.origins import origin_of
from weft_runtime.uow import UnitOfWork

from weft_tasks import auditing, decision_links, usecases
from weft_tasks import store as tasks
from weft_tasks.decision_links import Link, LinkStanding, as_shown
from weft_tasks.domain import line
from weft_tasks.errors import LinkExpired, LinkOfNobody, LinkUnknown, LinkUsed, UnknownOutcome
from weft_tasks.machine import TaskStatus
from weft_tasks.store import receipts as store
from weft_tasks.task import ENGINE, Change, Entry, Task, Who, normal_name

SHOWN_BYTES: Final = 64 * 1024
"""What a receipt keeps of what was shown; of more it keeps the hash, and the task the rest."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A link as it stands. whole: what is to be decided may be shown.  receipt: its row, None where it was not used."""

    link: Link
    task: Task
    standing: LinkStanding
    whole: bool
    receipt: Any


@dataclass(frozen=True, slots=True)
class From:
    """Where a decision comes from."""

    ip: str
    user_agent: str


async def make_link(
    task_id: UUID, decisions: Sequence[str] | None, expires_at: datetime | None, version: int | None, who: Who, uow: UnitOfWork
) -> Link:
    """Make a link for whoever has a task; the history says who made it.

    Raises: TaskNotFound, NoAssignee, TaskMoved, UnknownOutcome, BadTime.
    """
    task = await tasks.get(uow, task_id)
    ends = expires_at.replace(tzinfo=UTC) if expires_at is not None and expires_at.tzinfo is None else expires_at
    link = decision_links.make(task, new_id(), decisions, ends, version, who.by, uow.now)
    await tasks.add_entry(uow, Change(task, line(uow.now, "link_made", who, _told(link))))
    uow.say(auditing.link_made(task, _told(link)))
    return link


async def make_mailed(task: Task, uow: UnitOfWork) -> Link:
    """Make a link that is sent to whoever has a task, by nobody; the history says so. Raises: NoAssignee."""
    link = decision_links.make(task, new_id(), None, None, None, ENGINE, uow.now)
    await tasks.add_entry(uow, Change(task, Entry(uow.now, "link_made", ENGINE, {**_told(link), "by": "mail"})))
    return link


async def see(link: Link, uow: UnitOfWork) -> Seen:
    """What a link shows. Nothing is written, however often it is asked. Raises: LinkUnknown where the task is forgotten."""
    task = await tasks.find(uow, link.task_id)
    if task is None:
        raise LinkUnknown("what this link was for is no longer kept")
    receipt = await store.of_link(uow, link.id)
    standing = decision_links.standing(link, task, used=receipt is not None, now=uow.now)
    # Whose it is no more is not shown what has become of it.
    whole = standing in (LinkStanding.OPEN, LinkStanding.PAUSED, LinkStanding.USED) or (
        standing is LinkStanding.STALE and task.assignee == link.whom
    )
    return Seen(link, task, standing, whole, receipt)


async def decide(link: Link, outcome: str, form: Any, where: From, uow: UnitOfWork) -> Any:
    """Decide by a link, by the rules of whoever it is for, once. The same answer again is the same decision.

    Returns: the receipt's row.  Raises: LinkUsed, LinkExpired, LinkOfNobody, LinkStale, UnknownOutcome, and as
    `usecases.complete_task`; whatever is raised leaves the link as it was.
    """
    await tasks.order(uow, f"decision link {link.id}")
    answer = _hash({"outcome": outcome, "form": form})
    seen = await see(link, uow)
    if seen.receipt is not None:
        if seen.receipt.answer_hash == answer:
            return seen.receipt
        told = {"id": str(seen.receipt.id), "at": seen.receipt.at.isoformat(), "outcome": seen.receipt.outcome}
        raise LinkUsed(f"this link decided {seen.receipt.outcome!r} already, at {told['at']}", extra={"receipt": told})
    if seen.standing is LinkStanding.EXPIRED:
        raise LinkExpired(f"this link was good until {link.expires_at.isoformat()}; sign in to decide, or ask for a new one")
    if seen.task.status is not TaskStatus.COMPLETED and seen.task.version != link.task_version:
        raise decision_links.stale(link, seen.task)
    if outcome not in link.decisions:
        detail = Detail("/outcome", UnknownOutcome.code, f"choose one of {', '.join(link.decisions)}")
        raise UnknownOutcome(f"this link does not decide {outcome[:100]!r}; {detail.detail}", details=[detail])
    who = await _who(link, uow)
    done = await usecases.complete_task(link.task_id, who, outcome, form, link.task_version, uow)
    return await _receipt(link, seen.task, done, who, outcome, answer, where, uow)


async def _who(link: Link, uow: UnitOfWork) -> Who:
    """Whom a link is for, as they are known now. What their roles or groups let them do is not theirs here: the task names them."""
    person = await tasks.person(uow, normal_name(link.whom))
    if person is None:
        return Who(link.whom, link=str(link.id))
    if not person.active:
        raise LinkOfNobody(f"{link.whom}, for whom this link was made, is no longer active; assign the task to somebody else")
    return Who(person.id, person.email, link=str(link.id))


async def _receipt(link: Link, shown: Task, done: Task, who: Who, outcome: str, answer: str, where: From, uow: UnitOfWork) -> Any:
    """Keep who decided what, when, from where and having been shown what; the task's history tells it."""
    whole = as_shown(link, shown)
    digest, large = _hash(whole), len(json.dumps(whole)) > SHOWN_BYTES
    kept = {name: value for name, value in whole.items() if not large or name not in ("data", "form", "description")}
    receipt = await store.add(
        uow,
        {
            "id": new_id(),
            "link_id": link.id,
            "task_id": link.task_id,
            "at": uow.now,
            "decided_by": who.by,
            "outcome": outcome,
            "answer_hash": answer,
            "shown_hash": digest,
            "shown": kept,
            "ip": where.ip,
            "user_agent": where.user_agent,
            "made_by": link.made_by,
            "link_expires_at": link.expires_at,
        },
    )
    told = {"receipt": str(receipt.id), "outcome": outcome, "version": link.task_version, "shown_hash": digest}
    told |= {"ip": where.ip, "user_agent": where.user_agent, "link_made_by": link.made_by}
    await tasks.add_entry(uow, Change(done, line(uow.now, "receipt", who, told)))
    uow.say(auditing.decided_by_link(done, who, told, origin_of(uow.tenant, None, uow.traceparent, ip=where.ip)))
    return receipt


def _told(link: Link) -> dict[str, Any]:
    """A link as history tells it, without what it is opened by."""
    return {"link": str(link.id), "for": link.whom, "decisions": list(link.decisions), "expires_at": link.expires_at.isoformat()}


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
