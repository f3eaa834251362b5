"""What settings of every type have in common: strict, readable, and no place for a secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

MAX_SECRET_CHARS: Final = 8192
HEADER: Final = r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}$"
SENT: Final = re.compile(r"[^\x00-\x1f\x7f]*\Z")
"""What a header's value may hold; a secret is sent in one."""
PRIVATE_ALLOWED: Final = "private addresses are allowed"
"""The validation context of an installation that lets private addresses be reached: a developer's, or a test's."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Secrets that a connection has by its type and settings: those it needs, and all that it may have."""

    needed: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a service lets us in by OAuth. secret: the field of our own secret there.  gives: fields that the answer fills."""

    authorize_url: str
    client_id: str
    scope: str
    secret: str
    gives: tuple[str, ...]

    def issuer(self) -> str:
        """Whom an answer is of, where it says so: the origin of `authorize_url`."""
        parts = urlsplit(self.authorize_url)
        return f"{parts.scheme}://{parts.netloc}"


class Settings(BaseModel):
    """The settings of one type of connection. told_sealed: whether other services are told its secrets, sealed, as they use them."""

    model_config = ConfigDict(extra="forbid", strict=True)
    told_sealed: ClassVar[bool] = False

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted()

    def sends_to(self) -> str | None:
        """Where its secrets are sent: with another place they have to be given again. None where they are not sent at all."""
        return None

    def signs_in(self) -> SignIn | None:
        """How the service lets us in by OAuth; None where secrets are given by hand."""
        return None


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise PydanticCustomError("not_a_base_url", "the address cannot be read: its host or port is none") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or re.search(r"[\s\\\x00-\x1f\x7f]", value):
        raise PydanticCustomError("not_a_base_url", "an absolute http or https address is needed, such as https://api.example.com/v2")
    if "@" in parts.netloc:
        raise PydanticCustomError("not_a_base_url", "an address with a user or password is stored readably; set `auth` to `basic` instead")
    if "?" in value or "#" in value:
        raise PydanticCustomError("not_a_base_url", "a base address has no query and no fragment; give them in the node's `url` or `query`")
    return value


def _https(value: str, info: ValidationInfo) -> str:
    if urlsplit(value).scheme != "https" and info.context != PRIVATE_ALLOWED:
        raise PydanticCustomError("not_a_base_url", "an https address is needed: the secret is sent with each call")
    return value


Address = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_address)]
"""What a service's addresses are relative to: scheme, host and path, no credentials, no query."""
HttpsAddress = Annotated[Address, AfterValidator(_https)]
"""The same, by TLS; without it only where private addresses are allowed."""
