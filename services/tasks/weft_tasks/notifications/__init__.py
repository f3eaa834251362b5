"""Notifications: what people are told, by which ways, and when. The nouns; values only.

What is to be told follows from what happened (`causes`), by which ways and when from what each person has chosen (`preferences`). Each
notification has a cause, by which one that is told twice is known as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5

REACHES_AT_MOST: Final = 2000
"""People whom one notification may be for."""
TITLE_MOST: Final = 300
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_IDS: Final = UUID("5a0d7f3e-6c1b-5f0e-9d57-2f6c1f0a4b11")


class Channel(StrEnum):
    """A way by which somebody is told."""

    IN_APP = "in_app"
    EMAIL = "email"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Event:
    """What a notification can be about. title: for people.  channels: by which it is told to who chose nothing."""

    title: str
    channels: frozenset[Channel] = frozenset({Channel.IN_APP})


_BOTH: Final = frozenset({Channel.IN_APP, Channel.EMAIL})

EVENTS: Final[Mapping[str, Event]] = {
    "task.assigned": Event("A task is given to me", _BOTH),
    "task.offered": Event("A task waits for me or one of several others"),
    "task.reassigned": Event("A task is moved to me, or away from me", _BOTH),
    "task.delegated": Event("A task is handed on to me", _BOTH),
    "task.reminder": Event("A task of mine is soon due, or has waited long"),
    "task.overdue": Event("A task of mine is overdue", _BOTH),
    "task.escalated": Event("A task has waited too long, and I may act on it now", _BOTH),
    "task.cancelled": Event("A task of mine is needed no more"),
    "task.expired": Event("The time of a task of mine ran out"),
    "task.mentioned": Event("Somebody names me in a comment", _BOTH),
    "execution.failed": Event("An execution that I started, or whose workflow is mine, failed", _BOTH),
    "notification": Event("A workflow tells me something", _BOTH),
}
"""Those of the house. A workflow may name others; who chose nothing for one is told of it as of `notification`."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom something is for. users: ids or e-mail addresses, as they are compared."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be told. cause: what made it, unique in the tenant.  link: a path of this installation, or an http(s) address.

    but: names of those who are not told, since they did it themselves.  about: ids of what it is about, as texts.
    """

    event: str
    cause: str
    title: str
    to: Audience
    text: str | None = None
    link: str | None = None
    but: frozenset[str] = frozenset()
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reached:
    """How many people something is for, and the names in its audience that stand for nobody."""

    people: int
    unknown: Audience


def id_of(tenant: str, user: str, cause: str) -> UUID:
    """The id of somebody's notification: the same cause gives the same one."""
    return uuid5(_IDS, f"{tenant}\n{user}\n{cause}")


def cut(text: str, most: int = TITLE_MOST) -> str:
    """A text in one line of at most so many characters, none of them a control character: it may become a header."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= most else line[: most - 1] + "…"
