"""One call of Slack's Web API: how it is sent, and what its answer means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from weft_language.actions.slack.errors import AGAIN, FINAL

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.answers import UnreadableAnswer, is_permanent, json_of, retry_after
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer, Outgoing
from weft_connectors.masking import basic
from weft_connectors.plug import Plug

JSON: Final = "application/json; charset=utf-8"
FORM: Final = "application/x-www-form-urlencoded"
TIMEOUT_S: Final = 30.0
BUSY_S: Final = 30.0
"""When to ask again where Slack says that it was asked too often, and not when."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}\Z")


async def web_api(
    call: ActivityCall, plug: Plug, connection: OpenConnection, method: str, arguments: Mapping[str, Any], *, form: bool = False
) -> dict[str, Any]:
    """What Slack answers. arguments: None for those that are not given.  form: as a web form, for methods that read no JSON.

    Raises: ActivityError, with the codes that the catalog lists.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    content = _form(given) if form else _json(given)
    headers = (("Authorization", f"Bearer {_token(connection)}"), ("Content-Type", FORM if form else JSON))
    request = Outgoing("POST", _address(plug, connection, method), headers, content, TIMEOUT_S, follow_redirects=False)
    return answered(method, await plug.send(call, request, connection))


async def get_token(call: ActivityCall, plug: Plug, connection: OpenConnection, arguments: Mapping[str, str]) -> dict[str, Any]:
    """What Slack answers an app that has no token yet. The answer is as it came: it holds the token. Raises: ActivityError."""
    method = "oauth.v2.access"
    app = basic({"username": str(connection.settings["client_id"]), "password": connection.secrets["client_secret"]})
    headers = (("Authorization", f"Basic {app}"), ("Content-Type", FORM))
    request = Outgoing("POST", _address(plug, connection, method), headers, _form(arguments), TIMEOUT_S, follow_redirects=False)
    return answered(method, await plug.send(call, request))


def answered(method: str, answer: Answer) -> dict[str, Any]:
    """An answer that says `ok`. Raises: ActivityError."""
    if answer.status == 429:
        message = f"Slack has been asked for {method} too often"
        raise ActivityError("slack_ratelimited", message, details={"status": 429}, retry_after_s=retry_after(answer) or BUSY_S)
    if answer.status >= 500:
        message = f"Slack answered {method} with status {answer.status}"
        raise ActivityError("slack_unavailable", message, details={"status": answer.status}, retry_after_s=retry_after(answer))
    value = _value(method, answer)
    if value["ok"]:
        return value
    raise _error(method, value, answer)


def _value(method: str, answer: Answer) -> dict[str, Any]:
    try:
        value = json_of(answer)
    except UnreadableAnswer as error:
        message = f"the answer to {method}, of status {answer.status}, cannot be read: {error}"
        raise ActivityError("slack_bad_response", message, permanent=True, details={"status": answer.status}) from error
    if not isinstance(value, dict) or not isinstance(value.get("ok"), bool) or (value["ok"] and is_permanent(answer.status)):
        message = f"the answer to {method}, of status {answer.status}, is not Slack's; look at the connection's `base_url`"
        raise ActivityError("slack_bad_response", message, permanent=True, details={"status": answer.status})
    return value


def _error(method: str, value: Mapping[str, Any], answer: Answer) -> ActivityError:
    name = value.get("error")
    if not isinstance(name, str) or not _NAME.match(name):
        name = "refused"
    told = AGAIN.get(name) or FINAL.get(name)
    details = {"error": name, "method": method}
    for field in ("needed", "provided", "warning"):
        if isinstance(value.get(field), str):
            details[field] = value[field][:500]
    metadata = value.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    said = [text[:300] for text in messages[:10] if isinstance(text, str)] if isinstance(messages, list) else []
    message = f"Slack refused {method} with {name}{f': {told}' if told else ''}{f' ({said[0]})' if said else ''}"
    again = name in AGAIN
    wait = retry_after(answer) or (BUSY_S if name in ("ratelimited", "rate_limited") else None)
    whole = details | ({"messages": said} if said else {})
    return ActivityError(f"slack_{name}", message, permanent=not again, details=whole, retry_after_s=wait if again else None)


def _address(plug: Plug, connection: OpenConnection, method: str) -> str:
    base = str(connection.settings["base_url"])
    if urlsplit(base).scheme != "https" and not plug.allow_private:
        message = (
            f"the connection {connection.name!r} reaches Slack without TLS, which this installation does not allow; change its `base_url`"
        )
        raise ActivityError("connection_unusable", message, permanent=True)
    return f"{base.rstrip('/')}/{method}"


def _token(connection: OpenConnection) -> str:
    try:
        return connection.secrets["bot_token"]
    except KeyError as error:
        message = f"the connection {connection.name!r} has no bot_token; give it with PUT"
        raise ActivityError("connection_unusable", message, permanent=True) from error


def _form(given: Mapping[str, Any]) -> bytes:
    return urlencode({name: value if isinstance(value, str) else _json(value).decode() for name, value in given.items()}).encode()


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)
