"""`with` of `http.request`."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from weft_language.model.part import Bool, ConnectionName, Int, Name, NonEmpty, Number, Part, TemplateText, Text
from weft_language.model.work_data import exactly_one

HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Scalar = Text | Bool | Int | Number | None
StatusRange = Annotated[str, Field(pattern=r"^[1-5]xx$")]


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
