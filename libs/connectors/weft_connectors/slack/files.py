"""Files: an address is asked for, the content sent there, and the file shared. Source: Slack, "Working with files"."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final
from urllib.parse import urlsplit

from weft_language.actions.slack.model import MAX_FILE_BYTES, SlackUploadFileWith

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.answers import is_permanent, retry_after
from weft_connectors.guarded import Outgoing
from weft_connectors.plug import Plug, given, refused
from weft_connectors.slack.calling import web_api

UPLOAD_TIMEOUT_S: Final = 120.0


async def upload_file(call: ActivityCall, plug: Plug) -> Any:
    """`{file_id, title, permalink}`. Raises: ActivityError."""
    asked = given(call, SlackUploadFileWith)
    content = _content(call, asked)
    connection = await plug.connection(call, asked.connection)
    wanted = {"filename": asked.filename, "length": len(content), "alt_txt": asked.alt_text}
    place = await web_api(call, plug, connection, "files.getUploadURLExternal", wanted, form=True)
    file_id, address = place.get("file_id"), place.get("upload_url")
    if not isinstance(file_id, str) or not isinstance(address, str):
        raise ActivityError("slack_bad_response", "Slack gave no address for the file", permanent=True)
    await send_content(call, plug, address, content)
    shared = {
        "files": [{"id": file_id, **({"title": asked.title} if asked.title else {})}],
        "channel_id": asked.channel,
        "thread_ts": asked.thread_ts,
        "initial_comment": asked.initial_comment,
    }
    done = await web_api(call, plug, connection, "files.completeUploadExternal", shared, form=True)
    file = next((one for one in done.get("files") or [] if isinstance(one, dict) and one.get("id") == file_id), {})
    return {"file_id": file_id, "title": _text(file.get("title")), "permalink": _text(file.get("permalink"))}


def _content(call: ActivityCall, asked: SlackUploadFileWith) -> bytes:
    if asked.content is not None:
        field, content = "content", asked.content.encode()
    else:
        field = "content_base64"
        try:
            content = base64.b64decode("".join((asked.content_base64 or "").split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise refused(call, field, f"it is no base64: {error}") from error
    if not 1 <= len(content) <= MAX_FILE_BYTES:
        raise refused(call, field, f"a file has 1 to {MAX_FILE_BYTES} bytes, and this one has {len(content)}")
    return content


async def send_content(call: ActivityCall, plug: Plug, address: str, content: bytes) -> None:
    """Send the content. The address lets whoever has it put a file into the workspace: neither a message nor a detail names it."""
    if urlsplit(address).scheme != "https" and not plug.allow_private:
        raise ActivityError("slack_bad_response", "Slack gave an address without TLS for the file", permanent=True)
    headers = (("Content-Type", "application/octet-stream"),)
    request = Outgoing("POST", address, headers, content, UPLOAD_TIMEOUT_S, follow_redirects=False)
    try:
        answer = await plug.send(call, request)
    except ActivityError as error:
        message = "the file could not be sent to the address that Slack gave for it"
        raise ActivityError(error.code, message, permanent=error.permanent, details={"reason": error.details.get("reason")}) from None
    if answer.status != 200:
        again = not is_permanent(answer.status) and answer.status >= 400
        message = f"the address that Slack gave for the file answered with status {answer.status}"
        code = "slack_unavailable" if again else "slack_upload_failed"
        raise ActivityError(code, message, permanent=not again, details={"status": answer.status}, retry_after_s=retry_after(answer))


def _text(value: Any) -> str | None:
    return value[:2000] if isinstance(value, str) else None
