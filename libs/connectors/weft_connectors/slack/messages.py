"""Messages: sent, changed, taken back, and one that tells how something stands."""

from __future__ import annotations

from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from weft_language.actions.slack.model import (
    SlackDeleteMessageWith,
    SlackMetadata,
    SlackNotifyStatusWith,
    SlackPostMessageWith,
    SlackUpdateMessageWith,
)
from weft_language.model.part import Part

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.plug import Plug, given
from weft_connectors.slack.calling import web_api

STEP: Final = "weft_step"
"""The event type of a message's metadata where its author gives none; its payload is `{key}`."""
SIGNS: Final = {
    "info": ":information_source:",
    "running": ":arrows_counterclockwise:",
    "waiting": ":hourglass_flowing_sand:",
    "success": ":white_check_mark:",
    "warning": ":warning:",
    "error": ":x:",
}


async def post_message(call: ActivityCall, plug: Plug) -> Any:
    """`{channel, ts, thread_ts}`. Raises: ActivityError."""
    asked = given(call, SlackPostMessageWith)
    connection = await plug.connection(call, asked.connection)
    arguments = {
        "channel": asked.channel,
        "text": asked.text,
        "blocks": asked.blocks,
        "thread_ts": asked.thread_ts,
        "reply_broadcast": asked.reply_broadcast,
        "unfurl_links": asked.unfurl_links,
        "unfurl_media": asked.unfurl_media,
        "metadata": _metadata(asked.metadata) or _own(call),
        "client_msg_id": client_msg_id(call),
    }
    value = await web_api(call, plug, connection, "chat.postMessage", arguments)
    return {**_message(value), "thread_ts": asked.thread_ts}


async def update_message(call: ActivityCall, plug: Plug) -> Any:
    """`{channel, ts}`. Raises: ActivityError."""
    asked = given(call, SlackUpdateMessageWith)
    connection = await plug.connection(call, asked.connection)
    arguments = {
        "channel": asked.channel,
        "ts": asked.ts,
        "text": asked.text,
        "blocks": asked.blocks,
        "metadata": _metadata(asked.metadata),
    }
    return _message(await web_api(call, plug, connection, "chat.update", arguments))


async def delete_message(call: ActivityCall, plug: Plug) -> Any:
    """`{channel, ts}`. A message that an earlier attempt may have taken back already is taken back. Raises: ActivityError."""
    asked = given(call, SlackDeleteMessageWith)
    connection = await plug.connection(call, asked.connection)
    try:
        return _message(await web_api(call, plug, connection, "chat.delete", {"channel": asked.channel, "ts": asked.ts}))
    except ActivityError as error:
        if error.code == "slack_message_not_found" and call.attempt > 1:
            return {"channel": asked.channel, "ts": asked.ts}
        raise


async def notify_status(call: ActivityCall, plug: Plug) -> Any:
    """`{channel, ts}`: of the message that was changed, or of a new one. Raises: ActivityError."""
    asked = given(call, SlackNotifyStatusWith)
    connection = await plug.connection(call, asked.connection)
    text = f"{SIGNS[asked.status]} *{_plain(asked.title)}*" + (f"\n{_plain(asked.detail)}" if asked.detail else "")
    if asked.ts is not None:
        return _message(await web_api(call, plug, connection, "chat.update", {"channel": asked.channel, "ts": asked.ts, "text": text}))
    arguments = {
        "channel": asked.channel,
        "text": text,
        "thread_ts": asked.thread_ts,
        "metadata": _own(call),
        "client_msg_id": client_msg_id(call),
    }
    return _message(await web_api(call, plug, connection, "chat.postMessage", arguments))


def client_msg_id(call: ActivityCall) -> str:
    """What tells Slack that two attempts are one message: the same for all attempts of a call, different for every other."""
    return str(uuid5(NAMESPACE_URL, f"weft:{call.tenant}:{call.key}"))


def _own(call: ActivityCall) -> dict[str, Any]:
    return {"event_type": STEP, "event_payload": {"key": call.key}}


def _metadata(written: Part | str | None) -> dict[str, Any] | None:
    return {"event_type": written.event_type, "event_payload": written.event_payload} if isinstance(written, SlackMetadata) else None


def _message(value: dict[str, Any]) -> dict[str, Any]:
    """The place of a message. Raises: ActivityError `slack_bad_response`."""
    channel, ts = value.get("channel"), value.get("ts")
    if not isinstance(channel, str) or not isinstance(ts, str):
        message = "Slack said that it is done, and not which message it was"
        raise ActivityError("slack_bad_response", message, permanent=True)
    return {"channel": channel, "ts": ts}


def _plain(text: str) -> str:
    """A text that means nothing else than itself: nobody is called by what was put into it. Source: Slack, "Formatting message text"."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
