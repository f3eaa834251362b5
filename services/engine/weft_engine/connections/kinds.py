"""The types of connections: which settings and secrets each has, checked strictly. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError
from weft_connectors.guarded.headers import REFUSED
from weft_connectors.guarded.redirects import HARMLESS
from weft_runtime.errors import Detail
from weft_runtime.http.pointers import details

MAX_SECRET_CHARS: Final = 8192
MAX_HEADERS: Final = 50
_HEADER: Final = r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$"
_SENT: Final = re.compile(r"[^\x00-\x1f\x7f]*\Z")
"""What a header's value may hold; a secret is sent in one."""
_OF_EACH_CALL: Final = frozenset({"idempotency-key", "traceparent", "tracestate"})
_FIELD: Final = re.compile(r"[a-z_]{1,30}\Z")
_CREDENTIALS: Final = re.compile(r"auth|cookie|token|secret|password|api-?key|credential|signature", re.IGNORECASE)
"""Names of headers that hold credentials, as services call them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Secrets that a connection has by its type and settings: those it needs, and all that it may have."""

    needed: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


class HttpSettings(BaseModel):
    """How `http.request` reaches a service.

    base_url: what addresses are relative to; credentials go to its origin alone.  auth: how the service knows us.  header: the name of
    the header that holds the secret `value`, for `auth: header`.  headers: sent with each request where the node gives none of the name.
    test_path: what `POST /connections/{id}/test` asks for, relative to base_url.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    base_url: str = Field(min_length=1, max_length=2000)
    auth: Literal["none", "bearer", "basic", "header"] = "none"
    header: str | None = Field(default=None, pattern=_HEADER)
    headers: dict[str, str] = Field(default_factory=dict, max_length=MAX_HEADERS)
    test_path: str | None = Field(default=None, max_length=2000)

    @field_validator("base_url")
    @classmethod
    def _an_origin_and_path(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError as error:
            raise PydanticCustomError("not_a_base_url", "the address cannot be read: its host or port is none") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"[\s\\\x00-\x1f\x7f]", value):
            raise PydanticCustomError("not_a_base_url", "an absolute http or https address is needed, such as https://api.example.com/v2")
        if "@" in parts.netloc:
            raise PydanticCustomError(
                "not_a_base_url", "an address with a user or password is stored readably; set `auth` to `basic` instead"
            )
        if "?" in value or "#" in value:
            raise PydanticCustomError(
                "not_a_base_url", "a base address has no query and no fragment; give them in the node's `url` or `query`"
            )
        return value

    @field_validator("header")
    @classmethod
    def _holds_a_secret(cls, value: str | None) -> str | None:
        if value is not None and value.lower().replace("_", "-") in REFUSED | HARMLESS:
            raise PydanticCustomError("not_a_header", "this header cannot hold a secret: it is set by the platform or sent on in redirects")
        return value

    @field_validator("headers")
    @classmethod
    def _holds_none(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not re.fullmatch(_HEADER, name) or not _SENT.match(text) or text != text.strip() or len(text) > MAX_SECRET_CHARS:
                raise PydanticCustomError("not_a_header", "{name} is no header that can be sent", {"name": name[:60]})
            if name.lower().replace("_", "-") in REFUSED | _OF_EACH_CALL:
                raise PydanticCustomError("not_a_header", "the header {name} is set by the platform; leave it out", {"name": name})
            if _CREDENTIALS.search(name):
                message = "{name} holds a credential and settings can be read: use `auth: header` and the secret `value`"
                raise PydanticCustomError("secret_in_settings", message, {"name": name[:60]})
        return value

    @field_validator("test_path")
    @classmethod
    def _is_relative(cls, value: str | None) -> str | None:
        if value is not None and (re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", value) or re.search(r"[\s\\\x00-\x1f\x7f]", value)):
            raise PydanticCustomError("not_relative", "a path relative to base_url is needed, such as /status")
        return value

    @model_validator(mode="after")
    def _names_its_header(self) -> HttpSettings:
        if (self.auth == "header") != (self.header is not None):
            raise PydanticCustomError("header", "`auth: header` needs the name of the `header`, and no other `auth` has one")
        return self

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return _BY_AUTH[self.auth]


_BY_AUTH: Final = {
    "none": Wanted(),
    "bearer": Wanted(("token",), ("token",)),
    "basic": Wanted(("username",), ("username", "password")),
    "header": Wanted(("value",), ("value",)),
}


class WebhookSettings(BaseModel):
    """How the calls of a webhook trigger are verified. header: where the signature stands, for `hmac-sha256`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    header: str | None = Field(default=None, pattern=_HEADER)

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted(("secret",), ("secret", "previous_secret"))


_KINDS: Final[dict[str, type[HttpSettings] | type[WebhookSettings]]] = {"http": HttpSettings, "webhook": WebhookSettings}


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong, and what is right. settings: with their defaults.  wanted: None where the settings are wrong."""

    wrong: tuple[Detail, ...]
    settings: dict[str, Any]
    wanted: Wanted | None


def check(type_: str, settings: Mapping[str, Any], secrets: Mapping[str, str | None], kept: frozenset[str]) -> Checked:
    """What a body asks for, by its type. secrets: given, null to remove.  kept: names of those it has already."""
    try:
        read = _KINDS[type_].model_validate(dict(settings))
    except ValidationError as error:
        found = ({**one, "loc": ("body", "settings", *one["loc"])} for one in error.errors(include_input=False, include_url=False))
        return Checked(tuple(details(list(found), {"settings": dict(settings)})), {}, None)
    wanted = read.wanted()
    return Checked(tuple(_wrong_secrets(wanted, secrets, kept)), read.model_dump(exclude_none=True), wanted)


def _wrong_secrets(wanted: Wanted, secrets: Mapping[str, str | None], kept: frozenset[str]) -> Iterator[Detail]:
    known = ", ".join(wanted.known) or "none"
    for name, value in secrets.items():
        if value is None:
            continue
        if name not in wanted.known:
            # One that is no name may be the secret itself, in the wrong place: it is not shown.
            place = f"/secrets/{name}" if _FIELD.match(name) else "/secrets"
            yield Detail(place, "unknown_secret", f"there is no such secret with these settings; they have: {known}")
        elif not 1 <= len(value) <= MAX_SECRET_CHARS and not (name == "password" and not value):
            yield Detail(f"/secrets/{name}", "secret_length", f"a secret has 1 to {MAX_SECRET_CHARS} characters")
        elif not _SENT.match(value) or value != value.strip():
            yield Detail(f"/secrets/{name}", "secret_text", "a secret has no control characters and neither begins nor ends with a space")
        elif name == "username" and ":" in value:
            yield Detail("/secrets/username", "secret_text", "a user's name for basic authentication holds no colon")
    for name in wanted.needed:
        if secrets.get(name) is None and (name in secrets or name not in kept):
            yield Detail(f"/secrets/{name}", "required", f"these settings need the secret {name!r}")
