"""What an answer must not repeat: the secrets of the connection that it came by."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import msgspec

from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer

MASK: Final = "***"
LEAST_MASKED: Final = 6
"""Characters of a secret that is looked for in answers: a shorter one stands in them by chance."""


def masked(answer: Answer, connection: OpenConnection) -> Answer:
    """The answer without the connection's secrets: a service that repeats what it was sent must not bring them into a history."""
    body, headers = answer.body, answer.headers
    for secret in _longest_first(connection):
        body = body.replace(secret.encode(), MASK.encode())
        headers = tuple((name, value.replace(secret, MASK)) for name, value in headers)
    return replace(answer, body=body, headers=headers)


def _forms(connection: OpenConnection) -> Iterator[str]:
    """A secret as it may be written: as it is, in JSON, in an address, and as basic authentication sends it.

    A user's name beside a password is none: services answer with whom they took us for.
    """
    for field, value in connection.secrets.items():
        named = field == "username" and connection.secrets.get("password")
        if len(value) >= LEAST_MASKED and not named:
            yield value
            yield msgspec.json.encode(value).decode()[1:-1]
            yield quote(value, safe="")
    if connection.settings.get("auth") == "basic" and "username" in connection.secrets:
        yield basic(connection.secrets)


def basic(secrets: Mapping[str, str]) -> str:
    """A user and password as basic authentication sends them. Source: RFC 7617."""
    return base64.b64encode(f"{secrets['username']}:{secrets.get('password', '')}".encode()).decode()


def masked_text(text: str, connection: OpenConnection) -> str:
    """A text, such as what a server says of a mistake, without the connection's secrets."""
    for secret in _longest_first(connection):
        text = text.replace(secret, MASK)
    return text


def _longest_first(connection: OpenConnection) -> list[str]:
    return sorted(set(_forms(connection)), key=len, reverse=True)
