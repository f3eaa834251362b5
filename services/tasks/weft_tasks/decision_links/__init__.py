"""Decision links: a signed address by which a task's assignee decides it once, without signing in. Pure.

A link is a text that only this installation can make or read: sealed, so that neither the task nor the person can be told from it, and
bound to one version of one task, one assignee, some decisions and a time. Nothing is kept of a link until it is used; then its receipt is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from weft_runtime.errors import Detail

from weft_tasks.access import current
from weft_tasks.errors import BadTime, LinkStale, LinkUnknown, NoAssignee, TaskMoved, UnknownOutcome
from weft_tasks.machine import LIVE
from weft_tasks.task import Task
from weft_tasks.tokens import Tokens

USUAL: Final = timedelta(days=7)
LONGEST: Final = timedelta(days=90)
_ABOUT: Final = "decision link 1"


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says. whom: the assignee, as the task calls them.  decisions: the outcomes that may be chosen.  made_by: an id."""

    id: UUID
    tenant: str
    task_id: UUID
    task_version: int
    whom: str
    decisions: tuple[str, ...]
    expires_at: datetime
    made_by: str


class LinkStanding(StrEnum):
    """What a link is good for now. `stale`: the task has changed since it was made; `over`: somebody or something else ended the task."""

    OPEN = "open"
    PAUSED = "paused"
    STALE = "stale"
    OVER = "over"
    USED = "used"
    EXPIRED = "expired"


class Links:
    """Makes links and reads them. secrets: the installation's, the newest first: it makes them, all of them read."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._tokens = Tokens(secrets, "decision links", _ABOUT)

    def token(self, link: Link) -> str:
        """The link as a part of an address, of `[A-Za-z0-9_-]`."""
        said = [
            *(link.id.hex, link.tenant, link.task_id.hex, link.task_version, link.whom, list(link.decisions)),
            *(int(link.expires_at.timestamp()), link.made_by),
        ]
        return self._tokens.make(json.dumps(said, separators=(",", ":")).encode())

    def read(self, token: str) -> Link:
        """The link of a token. Raises: LinkUnknown where it was changed or is none of ours."""
        content = self._tokens.read(token)
        if content is None:
            raise LinkUnknown("this is no decision link of ours, or it was cut off; copy it whole, or sign in to decide")
        id_, tenant, task_id, version, whom, decisions, expires_s, made_by = json.loads(content)
        expires_at = datetime.fromtimestamp(expires_s, UTC)
        return Link(UUID(id_), tenant, UUID(task_id), version, whom, tuple(decisions), expires_at, made_by)


def make(
    task: Task, id_: UUID, decisions: Sequence[str] | None, expires_at: datetime | None, version: int | None, by: str, now: datetime
) -> Link:
    """A link for whoever has a task. decisions: all of the task's outcomes where None.  expires_at: in seven days where None.

    Raises: NoAssignee, TaskMoved, UnknownOutcome, BadTime.
    """
    if version is not None and version != task.version:
        raise TaskMoved(f"task {task.id} is at version {task.version}, not {version}; read it again", extra={"current": current(task)})
    if task.status not in LIVE or task.assignee is None:
        raise NoAssignee(
            f"task {task.id} is {task.status} and nobody's, and a link is for whoever has it; assign it first",
            extra={"current": current(task)},
        )
    chosen = task.outcomes if decisions is None else tuple(dict.fromkeys(decisions))
    unknown = [one for one in chosen if one not in task.outcomes]
    if unknown:
        offered = ", ".join(task.outcomes)
        detail = Detail("/decisions", UnknownOutcome.code, f"choose among {offered}")
        raise UnknownOutcome(f"the task does not offer {unknown[0]!r}; it offers {offered}", details=[detail])
    ends = now + USUAL if expires_at is None else expires_at
    if not now < ends <= now + LONGEST:
        wrong = f"a link lasts at most {LONGEST.days} days from now, and ends later than now"
        raise BadTime(f"no link can end at {ends.isoformat()}: {wrong}", details=[Detail("/expires_at", BadTime.code, wrong)])
    return Link(id_, task.tenant, task.id, task.version, task.assignee, chosen, ends, by)


def standing(link: Link, task: Task, *, used: bool, now: datetime) -> LinkStanding:
    """What a link is good for now."""
    if used:
        return LinkStanding.USED
    if now >= link.expires_at:
        return LinkStanding.EXPIRED
    if task.status not in LIVE:
        return LinkStanding.OVER
    if task.version != link.task_version:
        return LinkStanding.STALE
    return LinkStanding.OPEN if task.paused_since is None else LinkStanding.PAUSED


def stale(link: Link, task: Task) -> LinkStale:
    """Why a link does not decide a task that has changed since."""
    return LinkStale(
        f"task {task.id} has changed since this link was made: it is at version {task.version}, not {link.task_version}. "
        "Sign in to see it as it is now, or ask for a new link",
        extra={"link_version": link.task_version, "current": current(task)},
    )


def as_shown(link: Link, task: Task) -> dict[str, Any]:
    """What a link shows of a task."""
    return {
        "id": str(task.id),
        "workflow": task.workflow,
        "title": task.title,
        "description": task.description,
        "data": task.data,
        "form": task.form,
        "due_at": None if task.due_at is None else task.due_at.isoformat(),
        "version": task.version,
        "decisions": list(link.decisions),
    }
