"""`with` of the nodes that act: call, publish, fail, end, compensate, activity, and actions that nobody knows."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from weft_language.model.part import Bool, Identifier, Int, NonEmpty, Part, TemplateText, Text, is_template

QUEUE_NAME_HINT: Final = "1 to 100 letters, digits, dots, dashes and underscores"
_QUEUE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def is_queue_name(text: str) -> bool:
    """Whether a workers' queue can be called so."""
    return _QUEUE_NAME.fullmatch(text) is not None


def _queue(text: str) -> str:
    if not is_template(text) and not is_queue_name(text):
        raise PydanticCustomError("queue_name", "should be " + QUEUE_NAME_HINT)
    return text


QueueName = Annotated[str, Strict(), AfterValidator(_queue), WithJsonSchema({"type": "string", "minLength": 1})]
"""A workers' queue, or a template of one."""


class CallWith(Part):
    """`call`: run another workflow."""

    workflow: NonEmpty = Field(description="The other workflow's slug.")
    version: Annotated[Int, Field(ge=1)] | TemplateText | None = Field(default=None, description="Its active version when absent.")
    input: Any = None
    wait: Bool = True


class PublishWith(Part):
    """`publish`: say a domain event."""

    type: NonEmpty = Field(description="The event's type, such as invoice.paid.")
    data: Any = None
    subject: Text | None = None


class FailWith(Part):
    """`fail`: fail the scope with an error of one's own."""

    code: NonEmpty = "failed"
    message: Text = ""


class EndWith(Part):
    """`end`: end the whole execution."""

    output: Any = None
    status: Literal["completed", "failed"] = "completed"


class CompensateWith(Part):
    """`compensate`: undo completed nodes, newest first."""

    scope: Identifier | None = Field(default=None, description="A group whose nodes are undone; all when absent.")


class ActivityWith(Part):
    """`activity`: work done by a service of the tenant's own, over RabbitMQ."""

    name: NonEmpty = Field(description="What the worker knows it by.")
    input: Any = None
    queue: QueueName | None = Field(default=None, description="The worker's queue; the tenant's default one when absent.")


class ActionWith(Part):
    """`with` of a connector's action that this release does not know: any object, its strings are templates."""

    __pydantic_extra__: dict[str, Any] = Field(init=False)
