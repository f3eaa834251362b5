"""A request that goes by a connection: where it goes, and what makes it known there."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

import httpx2

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.masking import basic

_ABSOLUTE: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")


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
            return "Authorization", f"Basic {basic(secrets)}"
        if auth == "header":
            return str(connection.settings["header"]), secrets["value"]
    except KeyError as error:
        message = f"the connection {connection.name!r} has no {error} that its `auth: {auth}` needs; give it with PUT"
        raise ActivityError("connection_unusable", message, permanent=True) from error
    return None


def place_of(text: str) -> str:
    """Scheme, host and port of an address, as credentials are held to them. What is no address is like itself alone."""
    try:
        scheme, host, port = _origin(text)
    except httpx2.InvalidURL:
        return text
    return f"{scheme}://{host}:{port}"


def _origin(text: str) -> tuple[str, str, int | None]:
    url = httpx2.URL(text)
    return url.scheme, url.host.lower().removesuffix("."), url.port or {"http": 80, "https": 443}.get(url.scheme)


def _shown(at: tuple[str, str, int | None]) -> str:
    scheme, host, port = at
    return f"{scheme}://{host}{'' if port is None else f':{port}'}"[:200]


def _refused(code: str, message: str) -> ActivityError:
    return ActivityError(code, message, permanent=True, details={"pointer": "/with/url"})
