"""Catalog entries of the nodes that rest, ask a person, or act on the world."""

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
    NodeType(
        "http.request",
        "HTTP request",
        "services",
        "globe",
        "Calls a service over HTTP and reads its answer.",
        _object(
            status={"type": "integer", "minimum": 100, "maximum": 599},
            headers={"type": "object", "additionalProperties": {"type": "string"}, "description": "Names in lower case."},
            body={"description": "The value of a JSON answer, else its text; null when empty."},
        ),
        waits=True,
        errors=(
            ("http_status", "the status is not one of `expect`; permanent for 4xx except 408, 425 and 429; details: status, headers, body"),
            ("http_unreachable", "no connection: name not found, refused, reset, or TLS failed"),
            ("http_timeout", "no whole answer within `timeout_s`"),
            ("http_blocked", "the address is private, local or not http(s); permanent"),
            ("http_too_large", "the answer is larger than 1 MiB; permanent"),
            ("http_bad_response", "the answer's body is not what `response` asks for; permanent"),
            ("http_bad_request", "the rendered request is not valid: address, method, header; permanent"),
            ("http_other_origin", "the address is not at the origin of the `connection`; permanent"),
            ("unknown_connection", "the tenant has no connection of that name; permanent"),
            ("connection_unusable", "the connection is of another type (permanent), or its secrets do not open here"),
            ("connection_unavailable", "the connection could not be read at this moment"),
        ),
    ),
)
