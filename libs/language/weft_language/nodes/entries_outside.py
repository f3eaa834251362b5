"""Catalog entries of the nodes that rest, ask a person, or ask somebody else's service; those of connectors are their own affair."""

from typing import Any, Final

from weft_language.nodes.entries_control import ANYTHING
from weft_language.nodes.entry import NodeType


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}


_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_TEXT: Final[dict[str, Any]] = {"type": "string"}

OUTSIDE: Final = (
    NodeType("wait", "Wait", "time", "timer", "Rests for a duration or until a time.", _object(woke_at=_TIME), waits=True),
    NodeType(
        "state",
        "State",
        "events",
        "circle-dot",
        "Rests until a signal, an event or time leaves it.",
        ANYTHING,
        outcomes=(),
        outcomes_from="each name under `signals`, `events` and `after`",
        waits=True,
    ),
    NodeType(
        "task",
        "User task",
        "people",
        "user-check",
        "Asks a person to decide or fill in a form.",
        _object(outcome=_TEXT, form=ANYTHING, completed_by=ANYTHING, completed_at=_TIME),
        outcomes=("timeout",),
        outcomes_from="each name under `outcomes` (`completed` when none are given)",
        waits=True,
    ),
    NodeType("call", "Call workflow", "flow", "workflow", "Runs another workflow.", ANYTHING, waits=True),
    NodeType("publish", "Publish event", "events", "megaphone", "Says a domain event.", _object(event_id=_TEXT)),
    NodeType(
        "activity",
        "Activity",
        "services",
        "cog",
        "Work done by a service of the tenant's own, over RabbitMQ.",
        ANYTHING,
        outcomes_from="any outcome that the worker answers with",
        any_outcome=True,
        waits=True,
    ),
)
