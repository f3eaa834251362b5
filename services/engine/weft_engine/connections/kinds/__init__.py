"""The types of connections: which settings and secrets each has, checked strictly. A file for each type. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import ValidationError
from weft_runtime.errors import Detail
from weft_runtime.http.pointers import details

from weft_engine.connections.kinds.ai import AiSettings
from weft_engine.connections.kinds.http import HttpSettings
from weft_engine.connections.kinds.postgres import PostgresSettings
from weft_engine.connections.kinds.resend import ResendSettings
from weft_engine.connections.kinds.settings import MAX_SECRET_CHARS, PRIVATE_ALLOWED, SENT, Settings, Wanted
from weft_engine.connections.kinds.slack import SlackSettings
from weft_engine.connections.kinds.smtp import SmtpSettings
from weft_engine.connections.kinds.webhook import WebhookSettings

TypeName = Literal[
    "ai",
    "http",
    "resend",
    "smtp",
    "slack",
    "webhook",
    "postgres",
]
KINDS: Final[dict[str, type[Settings]]] = {
    "ai": AiSettings,
    "http": HttpSettings,
    "resend": ResendSettings,
    "smtp": SmtpSettings,
    "slack": SlackSettings,
    "webhook": WebhookSettings,
    "postgres": PostgresSettings,
}
_FIELD: Final = re.compile(r"[a-z_]{1,30}\Z")


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong, and what is right. settings: with their defaults.  wanted: None where the settings are wrong."""

    wrong: tuple[Detail, ...]
    settings: dict[str, Any]
    wanted: Wanted | None


def check(
    type_: str, settings: Mapping[str, Any], secrets: Mapping[str, str | None], kept: frozenset[str], *, allow_private: bool = False
) -> Checked:
    """What a body asks for, by its type. secrets: given, null to remove.  kept: names of those it has already.

    allow_private: whether this installation lets private addresses be reached.
    """
    try:
        read = KINDS[type_].model_validate(dict(settings), context=PRIVATE_ALLOWED if allow_private else None)
    except ValidationError as error:
        found = ({**one, "loc": ("body", "settings", *one["loc"])} for one in error.errors(include_input=False, include_url=False))
        return Checked(tuple(details(list(found), {"settings": dict(settings)})), {}, None)
    wanted = read.wanted()
    return Checked(tuple(_wrong_secrets(wanted, secrets, kept)), read.model_dump(exclude_none=True), wanted)


def read(type_: str, settings: Mapping[str, Any]) -> Settings:
    """The settings of a connection as they are kept. Raises: ValidationError where they were taken by other rules."""
    return KINDS[type_].model_validate(dict(settings), context=PRIVATE_ALLOWED)


def same_place(type_: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether secrets are sent to where they were before. after: what is none is refused by `check`."""
    try:
        now = read(type_, after)
    except ValidationError:
        return True
    try:
        return read(type_, before).sends_to() == now.sends_to()
    except ValidationError:
        return False


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
        elif not SENT.match(value) or value != value.strip():
            yield Detail(f"/secrets/{name}", "secret_text", "a secret has no control characters and neither begins nor ends with a space")
        elif name == "username" and ":" in value:
            yield Detail("/secrets/username", "secret_text", "a user's name for basic authentication holds no colon")
    for name in wanted.needed:
        if secrets.get(name) is None and (name in secrets or name not in kept):
            yield Detail(f"/secrets/{name}", "required", f"these settings need the secret {name!r}")
