"""`with` of `notification.send`."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, Strict, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import RENDERED, Part, TemplateText, is_template

MAX_NAMES: Final = 1000
MAX_TITLE: Final = 300
MAX_TEXT: Final = 10_000
MAX_LINK: Final = 2000
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LINK: Final = re.compile(r"(?:https?://[^\s/\\]|/(?![/\\]))[^\s\\\x00-\x1f\x7f]*")
EVENT_PATTERN: Final = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
_EVENT: Final = re.compile(EVENT_PATTERN.removesuffix("$"))
EVENT_DEFAULT: Final = "notification"


def _to_come(text: str, info: ValidationInfo) -> bool:
    return is_template(text) and info.context != RENDERED


def _one_line(text: str, info: ValidationInfo) -> str:
    if _CONTROL.search(text) and not _to_come(text, info):
        raise PydanticCustomError("wrong_format", "should be one line without control characters")
    return text


def _link(text: str, info: ValidationInfo) -> str:
    if not _to_come(text, info) and not _LINK.fullmatch(text):
        raise PydanticCustomError("wrong_format", "should be an http(s) address, or a path of this installation that begins with one `/`")
    return text


def _event(text: str, info: ValidationInfo) -> str:
    if not _to_come(text, info) and not _EVENT.fullmatch(text):
        raise PydanticCustomError("wrong_format", "should be a name such as invoice.overdue: lower-case words with dots between them")
    return text


Called = Annotated[str, Strict(), Field(min_length=1, max_length=320), AfterValidator(_one_line)]
"""What somebody, a role or a group is called by."""
Names = Annotated[list[Called], Field(max_length=MAX_NAMES)] | TemplateText
Title = Annotated[str, Strict(), Field(min_length=1, max_length=MAX_TITLE), AfterValidator(_one_line)]
Link = Annotated[str, Strict(), Field(min_length=1, max_length=MAX_LINK), AfterValidator(_link)]
Event = Annotated[
    str, Strict(), Field(min_length=1, max_length=100), AfterValidator(_event), WithJsonSchema({"type": "string", "maxLength": 100})
]
"""What a notification is about, as people choose by."""


class Recipients(Part):
    """Whom it is for: everybody who is named, has one of the roles, or is in one of the groups; each once."""

    users: Names = Field(default_factory=list, description="Ids or e-mail addresses.")
    roles: Names = Field(default_factory=list, description="Everybody who has one of them.")
    groups: Names = Field(default_factory=list, description="Everybody who is in one of them.")

    @model_validator(mode="after")
    def _somebody(self, info: ValidationInfo) -> "Recipients":
        if info.context != RENDERED and not (self.users or self.roles or self.groups):
            raise PydanticCustomError("one_of", "name `users`, `roles` or `groups`")
        return self


class NotificationSendWith(Part):
    """`notification.send`: tell people something, each as they have chosen to be told."""

    to: Recipients
    title: Title = Field(description="What it is about, in one line.")
    text: Annotated[str, Strict(), Field(max_length=MAX_TEXT)] | None = Field(default=None, description="More of it, as plain text.")
    link: Link | None = Field(default=None, description="Where it leads: an http(s) address, or a path of this installation.")
    event: Event = Field(default=EVENT_DEFAULT, description="What people choose channels by, such as invoice.overdue.")
