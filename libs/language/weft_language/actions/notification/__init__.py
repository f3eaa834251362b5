"""`notification`: what people are told, in their inbox here and by the ways that they chose. The tasks service does it, no worker."""

from typing import Final

from weft_language.actions.action import Action, Takes
from weft_language.actions.notification.model import NotificationSendWith

_NAMES: Final = {"type": "array", "items": {"type": "string"}}

_TAKES: Final[tuple[tuple[str, Takes], ...]] = (
    ("title", "text"),
    ("text", "text"),
    ("link", "text"),
    ("event", "text"),
    (r"to/(users|roles|groups)", "list"),
    (r"to/(users|roles|groups)/\d+", "text"),
)

SEND: Final = Action(
    "notification.send",
    "Notify people",
    "bell",
    "Tells people something, by name, role or group: in their inbox here, and by the ways that each of them chose.",
    NotificationSendWith,
    {
        "type": "object",
        "properties": {
            "reached": {"type": "integer", "description": "How many people it is for, each counted once."},
            "unknown": {
                "type": "object",
                "description": "Names of `to` that stand for nobody who is active here.",
                "properties": {"users": _NAMES, "roles": _NAMES, "groups": _NAMES},
                "required": ["users", "roles", "groups"],
            },
        },
        "required": ["reached", "unknown"],
    },
    errors=(
        ("notification_bad_request", "the rendered `with` is not valid; permanent; details: pointer"),
        ("notification_too_many", "it is for more people than one notification may reach; permanent; details: reached, limit"),
    ),
    category="people",
    takes=_TAKES,
    room="tasks",
)

ACTIONS: Final = (SEND,)
