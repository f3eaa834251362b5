"""The rendered `with` of a node, read into a request. Rendering may have put anything anywhere, so every part is checked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode

import msgspec

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Outgoing
from weft_connectors.guarded.client import MAX_ANSWER_BYTES
from weft_connectors.http.connecting import address, credentials

FIELDS: Final = frozenset(
    {"connection", "url", "method", "headers", "query", "body", "form", "response", "expect", "timeout_s", "follow_redirects"},
)
RESPONSES: Final = ("auto", "json", "text", "base64")
MAX_TIMEOUT_S: Final = 300.0
_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_FORM: Final = "application/x-www-form-urlencoded"

Scalar = str | bool | int | float


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and how its answer is taken. expect: statuses, or ranges such as `2xx`.  response: one of RESPONSES."""

    request: Outgoing
    expect: tuple[int | str, ...]
    response: str

    def expects(self, status: int) -> bool:
        """Whether a status is success."""
        return status in self.expect or f"{status // 100}xx" in self.expect


def refused(where: str, why: str) -> ActivityError:
    """The error of a call that cannot be made as it is written. where: a field of `with`."""
    return ActivityError("http_bad_request", f"with.{where}: {why}", permanent=True, details={"pointer": f"/with/{where}"})


def connection_name(call: ActivityCall) -> str | None:
    """The connection that a call goes by, None for none. Raises: ActivityError `http_bad_request`."""
    name = call.input.get("connection") if isinstance(call.input, Mapping) else None
    if name is not None and not isinstance(name, str):
        raise refused("connection", "the name of a connection is needed")
    return name


def read_call(call: ActivityCall, connection: OpenConnection | None = None) -> Asked:
    """The request of a call. connection: that it goes by, for addresses relative to it and what makes the request known.

    Raises: ActivityError `http_bad_request`, `http_other_origin`, `connection_unusable`.
    """
    given = call.input
    if not isinstance(given, Mapping):
        raise ActivityError("http_bad_request", "with: an object with `url` is needed", permanent=True)
    unknown = sorted(set(given) - FIELDS)
    if unknown:
        raise refused(str(unknown[0]), f"there is no such field; there are {', '.join(sorted(FIELDS))}")
    response = given.get("response", "auto")
    if response not in RESPONSES:
        raise refused("response", f"one of {', '.join(RESPONSES)} is needed, not {response!r}")
    headers = [(name, text) for name, value in _mapping(given, "headers").items() for text in _texts(value, f"headers.{name}", many=False)]
    if connection is not None:
        _go_by(connection, headers)
    content, content_type = _body(given)
    _add(headers, "Content-Type", content_type)
    _add(headers, "Idempotency-Key", call.key)
    _add(headers, "traceparent", call.traceparent)
    request = Outgoing(
        method=_method(given.get("method", "GET")),
        url=_url(given, connection),
        headers=tuple(headers),
        content=content,
        timeout_s=_timeout(given.get("timeout_s", 30.0)),
        follow_redirects=_flag(given.get("follow_redirects", True)),
        # Base64 makes four characters of three bytes, and an output may have 1 MiB.
        max_answer_bytes=MAX_ANSWER_BYTES // 4 * 3 if response == "base64" else MAX_ANSWER_BYTES,
    )
    return Asked(request, _expect(given.get("expect", ("2xx",))), response)


def _add(headers: list[tuple[str, str]], name: str, value: str | None) -> None:
    if value is not None and all(given.lower() != name.lower() for given, _ in headers):
        headers.append((name, value))


def _go_by(connection: OpenConnection, headers: list[tuple[str, str]]) -> None:
    known = credentials(connection)
    if known is not None:
        if any(name.lower() == known[0].lower() for name, _ in headers):
            raise refused("headers", f"the connection {connection.name!r} sends {known[0]} itself; leave it out, or name no connection")
        headers.append(known)
    for name, value in connection.settings.get("headers", {}).items():
        _add(headers, name, value)


def _method(value: Any) -> str:
    if not isinstance(value, str):
        raise refused("method", "a text such as GET is needed")
    return value.upper()


def _url(given: Mapping[str, Any], connection: OpenConnection | None) -> str:
    url = given.get("url")
    if not isinstance(url, str) or not url:
        raise refused("url", "an absolute address is needed, such as https://api.example.com/orders, or one relative to a connection")
    if connection is not None:
        url = address(connection, url)
    plain, hash_, _ = url.partition("#")
    pairs = [(name, text) for name, value in _mapping(given, "query").items() for text in _texts(value, f"query.{name}", many=True)]
    if not pairs:
        return plain if hash_ else url
    return f"{plain}{'&' if '?' in plain else '?'}{_encoded(pairs, 'query')}"


def _encoded(pairs: list[tuple[str, str]], where: str) -> str:
    try:
        return urlencode(pairs)
    except UnicodeEncodeError as error:
        raise refused(where, "half of a character (a lone surrogate) cannot be sent") from error


def _mapping(given: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = given.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise refused(field, "an object of names and values is needed")
    return value


def _is_scalar(value: Any) -> TypeGuard[Scalar]:
    return isinstance(value, str | bool | int | float)


def _texts(value: Any, where: str, *, many: bool) -> list[str]:
    """A value as it is sent: null not at all, a list once for each."""
    values = value if many and isinstance(value, list | tuple) else [value]
    texts = []
    for one in values:
        if one is None:
            continue
        if not _is_scalar(one):
            raise refused(where, f"a text, number, true or false{' or a list of them' if many else ''} is needed")
        texts.append(one if isinstance(one, str) else msgspec.json.encode(one).decode())
    return texts


def _body(given: Mapping[str, Any]) -> tuple[bytes, str | None]:
    """The content and its type. A `form` that is null is none, and so is a `body` that is null."""
    body, form = given.get("body"), given.get("form")
    if form is not None:
        if body is not None:
            raise refused("form", "give `body` or `form`, not both")
        pairs = [(name, text) for name, value in _mapping(given, "form").items() for text in _texts(value, f"form.{name}", many=False)]
        return _encoded(pairs, "form").encode(), _FORM
    if body is None:
        return b"", None
    try:
        return (body.encode(), _TEXT) if isinstance(body, str) else (msgspec.json.encode(body), _JSON)
    except (TypeError, ValueError, RecursionError) as error:
        raise refused("body", f"it cannot be sent: {error}") from error


def _expect(value: Any) -> tuple[int | str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise refused("expect", "a list of statuses is needed, such as [200, 404] or [2xx]")
    return tuple(value)


def _timeout(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_TIMEOUT_S:
        raise refused("timeout_s", f"seconds above 0 and up to {MAX_TIMEOUT_S:g} are needed")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise refused("follow_redirects", "true or false is needed")
    return value
