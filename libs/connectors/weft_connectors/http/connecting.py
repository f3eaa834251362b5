"""A request that goes by a connection: where it goes, what makes it known there, and what of that an answer must not repeat."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, unquote

import httpx2
import msgspec

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer

TYPE: Final = "http"
MASK: Final = "***"
LEAST_MASKED: Final = 6
"""Characters of a secret that is looked for in answers: a shorter one stands in them by chance."""
_ABSOLUTE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


def check_type(connection: OpenConnection) -> None:
    """Refuse a connection to something else. Raises: ActivityError `connection_unusable`."""
    if connection.type != TYPE:
        message = f"the connection {connection.name!r} is of type {connection.type}, and http.request goes by one of type {TYPE}"
        raise ActivityError("connection_unusable", message, permanent=True)


def address(connection: OpenConnection, url: str) -> str:
    """Where a request goes: below `base_url`, or an absolute address at its origin.

    Raises: ActivityError `http_other_origin`, `http_bad_request`.
    """
    base = str(connection.settings["base_url"])
    absolute = _ABSOLUTE.match(url) is not None
    if not absolute:
        path = re.split(r"[?#]", url, maxsplit=1)[0]
        if ".." in re.split(r"[/\\]", unquote(path)):
            raise _refused("http_bad_request", f"an address relative to connection {connection.name!r} does not go up with `..`")
        base = base.rstrip("/")
        url = f"{base}{url}" if url[:1] in ("?", "#") else f"{base}/{url.lstrip('/')}"
    try:
        here, there = _origin(base), _origin(url)
    except (httpx2.InvalidURL, ValueError) as error:
        raise _refused("http_bad_request", f"the address cannot be read: {error}") from error
    if here != there:
        message = f"{_shown(there)} is not the origin of connection {connection.name!r}, {_shown(here)}; name another connection, or none"
        raise _refused("http_other_origin", message)
    return url


def credentials(connection: OpenConnection) -> tuple[str, str] | None:
    """The header that makes a request known, None where the service asks for none."""
    auth, secrets = connection.settings.get("auth", "none"), connection.secrets
    try:
        if auth == "bearer":
            return "Authorization", f"Bearer {secrets['token']}"
        if auth == "basic":
            return "Authorization", f"Basic {_basic(secrets)}"
        if auth == "header":
            return str(connection.settings["header"]), secrets["value"]
    except KeyError as error:
        message = f"the connection {connection.name!r} has no {error} that its `auth: {auth}` needs; give it with PUT"
        raise ActivityError("connection_unusable", message, permanent=True) from error
    return None


def masked(answer: Answer, connection: OpenConnection) -> Answer:
    """The answer without the connection's secrets: a service that repeats what it was sent must not bring them into a history."""
    secrets = sorted(set(_forms(connection)), key=len, reverse=True)
    if not secrets:
        return answer
    body, headers = answer.body, answer.headers
    for secret in secrets:
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
        yield _basic(connection.secrets)


def _basic(secrets: Mapping[str, str]) -> str:
    """Source: RFC 7617."""
    return base64.b64encode(f"{secrets['username']}:{secrets.get('password', '')}".encode()).decode()


def same_origin(one: str, other: str) -> bool:
    """Whether credentials for one address go to the other, too: scheme, host and port are alike. What is no address is like none."""
    try:
        return _origin(one) == _origin(other)
    except httpx2.InvalidURL:
        return False


def _origin(text: str) -> tuple[str, str, int | None]:
    url = httpx2.URL(text)
    return url.scheme, url.host.lower().removesuffix("."), url.port or {"http": 80, "https": 443}.get(url.scheme)


def _shown(origin: tuple[str, str, int | None]) -> str:
    scheme, host, port = origin
    return f"{scheme}://{host}{'' if port is None else f':{port}'}"[:200]


def _refused(code: str, message: str) -> ActivityError:
    return ActivityError(code, message, permanent=True, details={"pointer": "/with/url"})
