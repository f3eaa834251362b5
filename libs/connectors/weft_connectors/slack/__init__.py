"""`slack`: messages and files in a workspace's channels. Found by the entry point `slack` of the group `weft.activities`."""

from __future__ import annotations

from collections.abc import Mapping

from weft_connectors.activity import Activity
from weft_connectors.connections import ConnectionReader
from weft_connectors.plug import Plug, plugged
from weft_connectors.slack.files import upload_file
from weft_connectors.slack.messages import delete_message, notify_status, post_message, update_message


def activities(allow_private_addresses: bool | None = None, connections: ConnectionReader | None = None) -> Mapping[str, Activity]:
    """What this connector gives; the options as in `Plug.of`."""
    return plugged(
        Plug.of(allow_private_addresses, connections),
        {
            "slack.post_message": post_message,
            "slack.update_message": update_message,
            "slack.delete_message": delete_message,
            "slack.upload_file": upload_file,
            "slack.notify_status": notify_status,
        },
    )
