"""What a worker is asked, rendered from a node's work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weft_language.compilation import ActivityWork, ConnectorWork
from weft_language.expressions import ExpressionError
from weft_language.model import QUEUE_NAME_HINT, is_queue_name

CONNECTOR_QUEUE: Final = "default"
"""The pool of Weft's own workers, which runs every connector's action."""
QUEUES: Final = "activity_queues"
"""Of a tenant's settings: the queues its activities may go to beside its own. Where it is not written, to any."""


def request_of(work: ActivityWork | ConnectorWork, names: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """What a worker is asked: `{name, queue, input}`, and the `connection` that it goes by where there is one. Raises: ExpressionError."""
    if isinstance(work, ConnectorWork):
        asked = {"name": work.type, "queue": CONNECTOR_QUEUE, "input": work.with_.render(names)}
        return asked if work.connection is None else {**asked, "connection": work.connection}
    request = {
        "name": text(work.name.render(names)),
        "queue": _queue(work.queue.render(names), names["tenant"]["settings"], tenant) if work.queue is not None else tenant,
    }
    input_ = work.input.render(names) if work.input is not None else None
    return request if input_ is None else {**request, "input": input_}


def _queue(value: Any, settings: Mapping[str, Any], tenant: str) -> str:
    name = text(value)
    if not is_queue_name(name):
        raise ExpressionError("expression_value", f"a queue's name is {QUEUE_NAME_HINT}, not {name!r:.120}")
    allowed = settings.get(QUEUES)
    if isinstance(allowed, list) and name not in allowed and name != tenant and not name.startswith(f"{tenant}."):
        own = f"the tenant's own queues are `{tenant}` and those that begin with `{tenant}.`"
        mend = f"use one of those, or let an operator list it in `settings.{QUEUES}` of the tenant"
        raise ExpressionError("queue_not_allowed", f"activities of this tenant may not go to the queue `{name}`: {own}; {mend}")
    return name


def text(value: Any) -> str:
    """A rendered value where the language wants a text. Raises: ExpressionError when it is another kind of value."""
    if not isinstance(value, str):
        raise ExpressionError("expression_value", f"a text is needed here, not {value!r:.80}")
    return value
