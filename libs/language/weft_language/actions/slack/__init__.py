"""`slack`: messages and files in the channels of a workspace, by an app of its own."""

from typing import Any, Final

from weft_language.actions.action import Action, Takes, WithModel
from weft_language.actions.slack.errors import ERRORS
from weft_language.actions.slack.model import (
    SlackDeleteMessageWith,
    SlackNotifyStatusWith,
    SlackPostMessageWith,
    SlackUpdateMessageWith,
    SlackUploadFileWith,
)

_TEXT: Final = {"type": "string"}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_TAKES: Final[dict[str, Takes]] = {
    "channel": "text",
    "text": "text",
    "ts": "text",
    "thread_ts": "text",
    "title": "text",
    "detail": "text",
    "filename": "text",
    "content": "text",
    "content_base64": "text",
    "initial_comment": "text",
    "alt_text": "text",
    "blocks": "list",
    "metadata": "object",
    "reply_broadcast": "boolean",
    "unfurl_links": "boolean",
    "unfurl_media": "boolean",
}


def _slack(verb: str, title: str, icon: str, description: str, with_: WithModel, output: dict[str, Any]) -> Action:
    return Action(
        f"slack.{verb}",
        title,
        icon,
        description,
        with_,
        {"type": "object", "properties": output, "required": list(output)},
        errors=ERRORS,
        connections=("slack",),
        takes=tuple((name, takes) for name, takes in _TAKES.items() if name in with_.model_fields),
    )


ACTIONS: Final = (
    _slack(
        "post_message",
        "Slack: send message",
        "message-square",
        "Sends a message to a channel, or a reply into a thread.",
        SlackPostMessageWith,
        {
            "channel": _TEXT | {"description": "The channel's id."},
            "ts": _TEXT | {"description": "Names the message: to answer, change or take it back."},
            "thread_ts": _TEXT_OR_NULL | {"description": "The message that this one answers; null where it answers none."},
        },
    ),
    _slack(
        "update_message",
        "Slack: change message",
        "message-square",
        "Changes a message that this app has sent.",
        SlackUpdateMessageWith,
        {
            "channel": _TEXT,
            "ts": _TEXT,
        },
    ),
    _slack(
        "delete_message",
        "Slack: take back message",
        "message-square-x",
        "Takes back a message that this app has sent: what undoes sending one.",
        SlackDeleteMessageWith,
        {
            "channel": _TEXT,
            "ts": _TEXT,
        },
    ),
    _slack(
        "upload_file",
        "Slack: upload file",
        "paperclip",
        "Puts a file into a channel or a thread.",
        SlackUploadFileWith,
        {
            "file_id": _TEXT,
            "title": _TEXT_OR_NULL,
            "permalink": _TEXT_OR_NULL | {"description": "Where people see it, where Slack says so at once."},
        },
    ),
    _slack(
        "notify_status",
        "Slack: notify status",
        "activity",
        "Tells how something stands in one message, which later steps change.",
        SlackNotifyStatusWith,
        {
            "channel": _TEXT | {"description": "The channel's id."},
            "ts": _TEXT | {"description": "Give it to the next step that tells of the same."},
        },
    ),
)
