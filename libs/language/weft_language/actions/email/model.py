"""`with` of `email.send`."""

import base64
import binascii
import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, Strict, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import RENDERED, ConnectionName, Part, TemplateText, is_template

MAX_RECIPIENTS: Final = 50
MAX_FILES: Final = 20
MAX_FILE_BYTES: Final = 512 * 1024
MAX_BODY: Final = 262_144
MAX_HEADERS: Final = 30
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,76}")
_OURS: Final = re.compile(
    r"(?i)from|to|cc|bcc|sender|reply-to|subject|date|message-id|mime-version|content-.*|return-path|received|dkim-.*|arc-.*|resent-.*"
)
"""Headers that are written from other fields, by the platform, or by servers on the way."""


def _one_line(text: str, info: ValidationInfo) -> str:
    if _CONTROL.search(text) and (info.context == RENDERED or not is_template(text)):
        raise PydanticCustomError("wrong_format", "should be one line without control characters: it becomes a header")
    return text


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name in given:
        if not _HEADER.fullmatch(name):
            raise PydanticCustomError("wrong_format", "{name} is no name of a header", {"name": repr(name[:60])})
        if _OURS.fullmatch(name):
            raise PydanticCustomError("wrong_format", "the header {name} is written by the platform; leave it out", {"name": name})
    return given


def _base64(text: str, info: ValidationInfo) -> str:
    if is_template(text) and info.context != RENDERED:
        return text
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PydanticCustomError("wrong_format", "should be base64") from error
    return text


Line = Annotated[str, Strict(), Field(max_length=998), AfterValidator(_one_line)]
"""A text that stands in a header."""
Body = Annotated[str, Strict(), Field(min_length=1, max_length=MAX_BODY)]
Base64 = Annotated[str, Strict(), Field(max_length=MAX_FILE_BYTES // 3 * 4 + 4), AfterValidator(_base64)]
Headers = Annotated[dict[str, Line], Field(max_length=MAX_HEADERS), AfterValidator(_headers)]


class EmailAddress(Part):
    """An address and the name beside it, as mails that came in have them."""

    address: Annotated[Line, Field(min_length=3)]
    name: Line | None = None


Recipient = Annotated[Line, Field(min_length=1)] | EmailAddress
Recipients = Recipient | Annotated[list[Recipient], Field(max_length=MAX_RECIPIENTS)]


class EmailFile(Part):
    """A file that goes with a mail."""

    name: Annotated[Line, Field(min_length=1, max_length=255)]
    content: Base64 = Field(description="Base64.")
    content_type: Annotated[Line, Field(max_length=127)] = Field(default="application/octet-stream", description="Such as text/csv.")
    content_id: Annotated[Line, Field(max_length=128)] | None = Field(default=None, description="What the HTML calls it by: `cid:logo`.")


class EmailSendWith(Part):
    """`email.send`: send a mail."""

    connection: ConnectionName = Field(description="By name, of type resend or smtp.")
    sender: Recipient | None = Field(default=None, alias="from", description="Whom it is from; else the connection's `from`.")
    to: Recipients = Field(description="Addresses such as `a@b.example` or `Zoe <a@b.example>`; all recipients together at most 50.")
    cc: Recipients | None = None
    bcc: Recipients | None = Field(default=None, description="Those that the others are not shown.")
    reply_to: Recipients | None = None
    subject: Line
    text: Body | None = Field(default=None, description="The mail as plain text; give it, `html`, or both.")
    html: Body | None = None
    headers: Headers | TemplateText = Field(default_factory=dict, description="More of them, such as In-Reply-To.")
    attachments: Annotated[list[EmailFile], Field(max_length=MAX_FILES)] | TemplateText = Field(
        default_factory=list, description="Files in base64, together at most 512 KiB."
    )

    @model_validator(mode="after")
    def _says_something(self) -> "EmailSendWith":
        if not self.given("text") and not self.given("html"):
            raise PydanticCustomError("one_of", "give `text`, `html`, or both")
        return self
