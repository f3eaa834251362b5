"""What a worker is asked, rendered from a node's work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from weft_contracts.routing import DEFAULT_POOL
from weft_language.compilation import ActivityWork, ConnectorWork
from weft_language.expressions import ExpressionError
from weft_language.model import QUEUE_NAME_HINT, is_queue_name

if TYPE_CHECKING:
    from weft_engine.core.context import Context

NOT_ALLOWED: Final = "queue_not_allowed"
CONNECTOR_QUEUE: Final = DEFAULT_POOL
SERVICE_QUEUE: Final = "weft"
"""What stands in the place of a pool where one of Weft's own services does what is asked."""
QUEUES: Final = "activity_queues"
"""Of a tenant's settings: the queues its activities may go to beside its own. Where it is not written, to those of the installation."""


class QueueNotAllowed(ExpressionError):
    """An activity names a queue that is not its tenant's to use. queue: its name."""

    def __init__(self, queue: str, message: str) -> None:
        super().__init__(NOT_ALLOWED, message)
        self.queue = queue


def details_of(error: ExpressionError) -> dict[str, Any] | None:
    """What the failure that comes of an error tells beside its code and message."""
    return {"queue": error.queue} if isinstance(error, QueueNotAllowed) else None


def refusal(error: ExpressionError) -> dict[str, Any]:
    """The error of a request that cannot be told."""
    details = details_of(error)
    return {"code": error.code, "message": error.message, **({} if details is None else {"details": details})}


def owner_of(queue: str) -> str:
    """Whose queue one of this name is, where there is a tenant of that id: `acme` and `acme.prices` are those of acme."""
    return queue.partition(".")[0]


def request_of(work: ActivityWork | ConnectorWork, names: Mapping[str, Any], tenant: str, context: Context) -> dict[str, Any]:
    """What a worker is asked: `{name, queue, input}`, and the `connection` that it goes by where there is one. Raises: ExpressionError.

    Of an action that a service does, `room` names the service.
    """
    if isinstance(work, ConnectorWork):
        if work.room is not None:
            return {"name": work.type, "queue": SERVICE_QUEUE, "room": work.room, "input": work.with_.render(names)}
        asked = {"name": work.type, "queue": CONNECTOR_QUEUE, "input": work.with_.render(names)}
        return asked if work.connection is None else {**asked, "connection": work.connection}
    request = {
        "name": text(work.name.render(names)),
        "queue": _queue(work.queue.render(names), context, tenant) if work.queue is not None else tenant,
    }
    input_ = work.input.render(names) if work.input is not None else None
    return request if input_ is None else {**request, "input": input_}


def _queue(value: Any, context: Context, tenant: str) -> str:
    name = text(value)
    if not is_queue_name(name):
        raise ExpressionError("expression_value", f"a queue's name is {QUEUE_NAME_HINT}, not {name!r:.120}")
    if owner_of(name) != tenant and not _may_use(name, context):
        own = f"the tenant's own queues are `{tenant}` and those that begin with `{tenant}.`"
        mend = f"use one of those, or let an operator list it in `settings.{QUEUES}` of the tenant"
        raise QueueNotAllowed(name, f"activities of this tenant may not go to the queue `{name}`: {own}; {mend}")
    return name


def _may_use(name: str, context: Context) -> bool:
    """Whether a tenant may use a queue that is not its own: what is listed for it, else what is for all and no other tenant's."""
    listed = context.tenant["settings"].get(QUEUES)
    if isinstance(listed, list):
        return name in listed
    return (context.shared_queues is None or name in context.shared_queues) and owner_of(name) not in context.tenants


def text(value: Any) -> str:
    """A rendered value where the language wants a text. Raises: ExpressionError when it is another kind of value."""
    if not isinstance(value, str):
        raise ExpressionError("expression_value", f"a text is needed here, not {value!r:.80}")
    return value
