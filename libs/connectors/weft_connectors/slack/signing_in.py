"""The bot token of an app, for the code that Slack sent a browser back with. Source: Slack, "oauth.v2.access"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug, trial
from weft_connectors.slack.calling import get_token


async def exchange(connection: OpenConnection, plug: Plug, code: str, verifier: str, redirect_uri: str) -> Mapping[str, str]:
    """`{bot_token}`. Raises: ActivityError; what Slack said is not repeated but for the error's name, as tokens may stand in it."""
    arguments = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
    try:
        value = await get_token(trial("slack.post_message", {}), plug, connection, arguments)
    except ActivityError as error:
        name = error.details.get("error", error.code)
        raise ActivityError(error.code, f"Slack answered {name}", permanent=error.permanent, details={"error": name}) from None
    return {"bot_token": _bot_token(value)}


def _bot_token(value: Mapping[str, Any]) -> str:
    token = value.get("access_token")
    if value.get("token_type") != "bot" or not isinstance(token, str) or not 1 <= len(token) <= 4096 or not token.isascii():
        raise ActivityError("slack_bad_response", "Slack gave no bot token; ask for a bot scope, such as chat:write", permanent=True)
    if value.get("refresh_token") or value.get("expires_in"):
        message = "the app rotates its tokens, which Weft does not follow; turn that off in the app's settings"
        raise ActivityError("slack_token_rotation", message, permanent=True)
    return token
