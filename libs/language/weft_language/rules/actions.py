"""What a rule does, and whom it tells."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict, field_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import CONNECTION_PATTERN
from weft_language.rules.part import Line, RulePart, is_deeper
from weft_language.rules.wording import check, check_all

MAX_TITLE: Final = 300
MAX_SUBJECT: Final = 900
_ADDRESS: Final = re.compile(r"[^\s<>@,;{}]+@[^\s<>@,;{}]+|\{\{[^{}]*\}\}")
_URL: Final = re.compile(r"https?://[^/\s\\?#{}@]+(?:[/?#][^\s\\]*)?", re.IGNORECASE)
_LINK: Final = re.compile(r"(?:https?://[^/\s\\{}@]+(?:/[^\x00-\x1f\x7f\\]*)?|/(?![/\\{])[^\x00-\x1f\x7f\\]*)", re.IGNORECASE)
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


def _address(text: str) -> str:
    if _ADDRESS.fullmatch(text) is None:
        raise PydanticCustomError("wrong_format", "should be one mail address, or one placeholder such as {{ record.email }}")
    return check(text)


def _url(text: str) -> str:
    if _URL.fullmatch(text) is None or "{{" in text:
        raise PydanticCustomError("wrong_format", "should be an absolute http or https address, without placeholders and credentials")
    return text


def _link(text: str) -> str:
    if _LINK.fullmatch(text) is None:
        message = "should be an http(s) address or a path that begins with one `/`; placeholders stand behind the host"
        raise PydanticCustomError("wrong_format", message)
    if " " in "".join(part for part in re.split(r"\{\{[^{}]*\}\}", text)):
        raise PydanticCustomError("wrong_format", "should have no spaces outside of placeholders")
    return check(text)


Title = Annotated[Line, Field(max_length=MAX_TITLE), AfterValidator(check)]
Address = Annotated[Line, Field(max_length=320), AfterValidator(_address)]
Connection = Annotated[str, Strict(), Field(pattern=CONNECTION_PATTERN)]


class NotificationConfig(RulePart):
    """A notification to the rule's recipients, each of whom is told by the ways that they chose."""

    title: Title
    text: Annotated[str, Strict(), Field(max_length=4000), AfterValidator(check)] | None = None
    link: Annotated[str, Strict(), Field(min_length=1, max_length=500), AfterValidator(_link)] | None = None
    event: Annotated[str, Strict(), Field(max_length=100, pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")] | None = Field(
        default=None, description="What people choose their channels by; `rule.<slug>` with _ for - when absent."
    )


class EmailConfig(RulePart):
    """A mail. to: addresses; without it to the recipients that are addresses or attributes."""

    connection: Connection = Field(description="By name, of type resend or smtp.")
    to: Annotated[tuple[Address, ...], Field(min_length=1, max_length=50)] | Address | None = None
    subject: Annotated[Line, Field(max_length=MAX_SUBJECT), AfterValidator(check)]
    text: Annotated[str, Strict(), Field(min_length=1, max_length=60_000), AfterValidator(check)]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those of `to`."""
        return () if self.to is None else (self.to,) if isinstance(self.to, str) else self.to


class WebhookConfig(RulePart):
    """A call of a service. body: any JSON value with placeholders; what happened, as a whole, when absent."""

    url: Annotated[str, Strict(), Field(max_length=2000), AfterValidator(_url)]
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    headers: Annotated[dict[str, Annotated[Line, Field(max_length=1000)]], Field(max_length=20)] = Field(default_factory=dict)
    body: Any = None
    connection: Connection | None = Field(default=None, description="By name, of type http: how the service knows us.")

    @field_validator("headers")
    @classmethod
    def _named(cls, given: dict[str, str]) -> dict[str, str]:
        wrong = next((name for name in given if _HEADER.fullmatch(name) is None), None)
        if wrong is not None:
            raise PydanticCustomError("wrong_format", "`{name}` is no name of a header", {"name": wrong[:60]})
        return given

    @field_validator("body")
    @classmethod
    def _bounded(cls, given: Any) -> Any:
        if is_deeper(given):
            raise PydanticCustomError("too_deep", "should not be nested over 8 levels")
        return check_all(given)


Order = Annotated[int, Strict(), Field(ge=0, le=10_000)]


class NotificationAction(RulePart):
    """Tell the recipients. order: smaller first, of equal ones as listed."""

    action_type: Literal["notification"]
    action_config: NotificationConfig
    order: Order = 0


class EmailAction(RulePart):
    """Send a mail."""

    action_type: Literal["email"]
    action_config: EmailConfig
    order: Order = 0


class WebhookAction(RulePart):
    """Call a service."""

    action_type: Literal["webhook"]
    action_config: WebhookConfig
    order: Order = 0


Action = Annotated[NotificationAction | EmailAction | WebhookAction, Field(discriminator="action_type")]


class Recipient(RulePart):
    """Whom a rule is for. recipient_id: a user's id or address, a role, a group, or the field of what changed that names users."""

    recipient_type: Literal["user", "role", "group", "attribute"]
    recipient_id: Annotated[Line, Field(max_length=320)]

    @property
    def is_address(self) -> bool:
        """Whether it stands for mail addresses."""
        return self.recipient_type == "attribute" or (self.recipient_type == "user" and _ADDRESS.fullmatch(self.recipient_id) is not None)
