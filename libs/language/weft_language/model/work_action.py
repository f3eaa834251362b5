"""`with` of the nodes that act: call, publish, fail, end, compensate, activity and connectors' actions."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import CONNECTION_PATTERN, Bool, Identifier, Int, Name, Number, Part, TemplateText, Text, is_template
from weft_language.model.work_data import exactly_one

NonEmpty = Annotated[Text, Field(min_length=1)]
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


HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Scalar = Text | Bool | Int | Number | None
StatusRange = Annotated[str, Field(pattern=r"^[1-5]xx$")]


ConnectionName = Annotated[str, Strict(), Field(pattern=CONNECTION_PATTERN)]
"""A connection of the tenant, by its name as it is: no template, so that everybody can see which one a node goes by."""


class HttpRequestWith(Part):
    """`http.request`: call a service over HTTP."""

    connection: ConnectionName | None = Field(default=None, description="By name: how the service is reached, and knows us.")
    url: NonEmpty = Field(description="An absolute http or https address, or one relative to the connection's.")
    method: HttpMethod | TemplateText = "GET"
    headers: dict[Name, Scalar] | TemplateText = Field(default_factory=dict)
    query: dict[Name, Scalar | list[Scalar]] | TemplateText = Field(default_factory=dict, description="Added to the address.")
    body: Any = Field(default=None, description="Sent as JSON, a text as plain text, unless a content-type header says otherwise.")
    form: dict[Name, Scalar] | TemplateText | None = Field(default=None, description="Sent as a web form, instead of `body`.")
    response: Literal["auto", "json", "text", "base64"] = Field(default="auto", description="How the answer's body is read.")
    expect: tuple[Annotated[Int, Field(ge=100, le=599)] | StatusRange, ...] = Field(
        default=("2xx",), min_length=1, max_length=50, description="Statuses that are success: numbers, or ranges such as 2xx."
    )
    timeout_s: Annotated[Number, Field(gt=0, le=300)] = Field(default=30.0, description="For one attempt; seconds.")
    follow_redirects: Bool = Field(default=True, description="At most 5, each checked like the first address.")

    @model_validator(mode="after")
    def _one_body(self) -> "HttpRequestWith":
        if self.given("body") and self.form is not None:
            exactly_one(self, "body", "form")
        return self


class ActionWith(Part):
    """`with` of a connector's action that this release does not know: any object, its strings are templates."""

    __pydantic_extra__: dict[str, Any] = Field(init=False)
