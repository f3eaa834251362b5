"""Type `http`: a service that has an address."""

from __future__ import annotations

import re
from typing import Final, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from weft_connectors.guarded.headers import REFUSED
from weft_connectors.guarded.redirects import HARMLESS
from weft_connectors.http.connecting import place_of

from weft_engine.connections.kinds.settings import HEADER, MAX_SECRET_CHARS, SENT, Address, Settings, Wanted

MAX_HEADERS: Final = 50
_OF_EACH_CALL: Final = frozenset({"idempotency-key", "traceparent", "tracestate"})
_CREDENTIALS: Final = re.compile(r"auth|cookie|token|secret|password|api-?key|credential|signature", re.IGNORECASE)
"""Names of headers that hold credentials, as services call them."""


class HttpSettings(Settings):
    """How `http.request` reaches a service.

    base_url: what addresses are relative to; credentials go to its origin alone.  auth: how the service knows us.  header: the name of
    the header that holds the secret `value`, for `auth: header`.  headers: sent with each request where the node gives none of the name.
    test_path: what `POST /connections/{id}/test` asks for, relative to base_url.
    """

    base_url: Address
    auth: Literal["none", "bearer", "basic", "header"] = "none"
    header: str | None = Field(default=None, pattern=HEADER)
    headers: dict[str, str] = Field(default_factory=dict, max_length=MAX_HEADERS)
    test_path: str | None = Field(default=None, max_length=2000)

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
            if not re.fullmatch(HEADER, name) or not SENT.match(text) or text != text.strip() or len(text) > MAX_SECRET_CHARS:
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

    def sends_to(self) -> str:
        """The origin that credentials go to."""
        return place_of(self.base_url)


_BY_AUTH: Final = {
    "none": Wanted(),
    "bearer": Wanted(("token",), ("token",)),
    "basic": Wanted(("username",), ("username", "password")),
    "header": Wanted(("value",), ("value",)),
}
