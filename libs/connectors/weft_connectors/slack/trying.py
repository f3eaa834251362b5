"""Trying a connection of type `slack`: asking Slack whose token it is."""

from __future__ import annotations

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug, trial
from weft_connectors.slack.calling import web_api
from weft_connectors.trying import Tried


async def try_slack(connection: OpenConnection, plug: Plug) -> Tried:
    """Whether Slack knows the token, and as whom. Raises: ActivityError where it does not answer."""
    try:
        value = await web_api(trial("slack.post_message", {}), plug, connection, "auth.test", {})
    except ActivityError as error:
        if "error" not in error.details:
            raise
        return Tried(False, error.message, 200, error.code)
    whom, where = (str(value.get(name) or "?")[:100] for name in ("user", "team"))
    if not isinstance(value.get("bot_id"), str):
        return Tried(
            False, f"Slack knows the token as {whom} in {where}, who is no app; give the bot token (xoxb-…)", 200, "slack_not_a_bot"
        )
    return Tried(True, f"Slack knows the token as {whom} in {where}", 200)
