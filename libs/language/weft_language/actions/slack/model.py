"""`with` of Slack's actions. Limits are Slack's own."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict, ValidationInfo, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import RENDERED, Bool, ConnectionName, Name, NonEmpty, Part, TemplateText, Text, is_template
from weft_language.model.work_data import exactly_one

MAX_FILE_BYTES: Final = 1024 * 1024
_TS: Final = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")


def _ts(text: str, info: ValidationInfo) -> str:
    if _TS.fullmatch(text) or (is_template(text) and info.context != RENDERED):
        return text
    raise PydanticCustomError("wrong_format", "should be a message's `ts`, such as 1503435956.000247")


def _says_something(part: "SlackPostMessageWith | SlackUpdateMessageWith") -> None:
    if part.text is None and part.blocks is None:
        raise PydanticCustomError("one_of", "give `text`, `blocks`, or both: the text is what notifications show")


Channel = Annotated[Text, Field(min_length=1, max_length=255)]
Ts = Annotated[str, Strict(), AfterValidator(_ts), WithJsonSchema({"type": "string", "examples": ["1503435956.000247"]})]
"""What names a message in its channel: as Slack gave it, as a text."""
MessageText = Annotated[Text, Field(max_length=40_000)]
Blocks = Annotated[list[dict[Name, Any]], Field(min_length=1, max_length=50)]
Flag = Bool | TemplateText
FileText = Annotated[str, Strict(), Field(max_length=MAX_FILE_BYTES)]
FileBase64 = Annotated[str, Strict(), Field(max_length=MAX_FILE_BYTES // 3 * 4 + 4)]
Status = Literal["info", "running", "waiting", "success", "warning", "error"]


class SlackMetadata(Part):
    """What a message carries for programs."""

    event_type: NonEmpty = Field(description="A name of your own, such as order_created.")
    event_payload: dict[Name, Any] = Field(default_factory=dict)


class SlackPostMessageWith(Part):
    """`slack.post_message`: send a message to a channel, or as a reply into a thread."""

    connection: ConnectionName = Field(description="By name, of type slack.")
    channel: Channel = Field(description="A channel's id or name; a person's id for a direct message.")
    text: MessageText | None = Field(default=None, description="Slack's mrkdwn; with `blocks` what notifications show.")
    blocks: Blocks | TemplateText | None = Field(default=None, description="Block Kit, at most 50.")
    thread_ts: Ts | None = Field(default=None, description="The `ts` of the message that this one answers.")
    reply_broadcast: Flag | None = Field(default=None, description="Show a reply in the channel, too.")
    unfurl_links: Flag | None = Field(default=None, description="Show previews of links.")
    unfurl_media: Flag | None = Field(default=None, description="Show previews of pictures and films.")
    metadata: SlackMetadata | TemplateText | None = Field(default=None, description="For programs; where it is absent, the step's key.")

    @model_validator(mode="after")
    def _not_empty(self) -> "SlackPostMessageWith":
        _says_something(self)
        return self


class SlackUpdateMessageWith(Part):
    """`slack.update_message`: change a message that this app has sent."""

    connection: ConnectionName = Field(description="By name, of type slack.")
    channel: Channel = Field(description="The id of the channel that the message is in, as sending it gave it.")
    ts: Ts = Field(description="The message.")
    text: MessageText | None = Field(default=None, description="Slack's mrkdwn; with `blocks` what notifications show.")
    blocks: Blocks | TemplateText | None = Field(default=None, description="Block Kit, at most 50.")
    metadata: SlackMetadata | TemplateText | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> "SlackUpdateMessageWith":
        _says_something(self)
        return self


class SlackDeleteMessageWith(Part):
    """`slack.delete_message`: take back a message that this app has sent."""

    connection: ConnectionName = Field(description="By name, of type slack.")
    channel: Channel = Field(description="The id of the channel that the message is in, as sending it gave it.")
    ts: Ts = Field(description="The message.")


class SlackUploadFileWith(Part):
    """`slack.upload_file`: put a file into a channel or a thread. At most 1 MiB."""

    connection: ConnectionName = Field(description="By name, of type slack.")
    filename: Annotated[NonEmpty, Field(max_length=255)]
    content: FileText | None = Field(default=None, description="The file's content as a text.")
    content_base64: FileBase64 | None = Field(default=None, description="The file's content in base64, instead of `content`.")
    channel: Channel | None = Field(default=None, description="A channel's id (no name); without it the file stays the app's own.")
    thread_ts: Ts | None = Field(default=None, description="The `ts` of the message that the file answers.")
    title: Annotated[Text, Field(max_length=255)] | None = None
    initial_comment: MessageText | None = Field(default=None, description="The message that goes with it.")
    alt_text: Annotated[Text, Field(max_length=1000)] | None = Field(
        default=None, description="What a picture shows, for those who cannot see it."
    )

    @model_validator(mode="after")
    def _one_content(self) -> "SlackUploadFileWith":
        exactly_one(self, "content", "content_base64")
        return self


class SlackNotifyStatusWith(Part):
    """`slack.notify_status`: one message that tells how something stands: sent first, and changed as often as its `ts` is given."""

    connection: ConnectionName = Field(description="By name, of type slack.")
    channel: Channel = Field(description="A channel's id or name; with `ts` the id.")
    title: Annotated[NonEmpty, Field(max_length=300)] = Field(description="What it is about, such as Order {{ input.id }}. Shown as it is.")
    status: Status | TemplateText = Field(description="Shown as a sign before the title.")
    detail: Annotated[Text, Field(max_length=3000)] | None = Field(default=None, description="Shown below the title, as it is.")
    ts: Ts | None = Field(default=None, description="The message to change; a new one is sent where it is absent or null.")
    thread_ts: Ts | None = Field(default=None, description="For a new message: the `ts` of the one that it answers.")
