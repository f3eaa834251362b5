"""What this release of the engine executes: the one list that later releases shorten.

Everything of the language is known and validated; what stands here is refused when a definition is published.
"""

from typing import Final

from weft_language.actions import ACTIONS

EXECUTED_TYPES: Final = frozenset(
    {
        "set",
        "transform",
        "if",
        "switch",
        "group",
        "parallel",
        "foreach",
        "loop",
        "call",
        "compensate",
        "wait",
        "state",
        "task",
        "publish",
        "fail",
        "end",
        "activity",
    }
)

CONNECTOR_MEANWHILE: Final = "call the service with `http.request`, or let an `activity` of your own do it"

EXECUTED_TRIGGERS: Final = frozenset({"event", "record", "schedule", "webhook", "email", "manual"})
TRIGGER_MEANWHILE: Final = "let the source post a domain event to /api/v1/events and use an `event` trigger"


def is_executable(node_type: str) -> bool:
    """Whether the engine executes this node type. A connector's action that is known is executed."""
    return node_type in EXECUTED_TYPES or node_type in ACTIONS
