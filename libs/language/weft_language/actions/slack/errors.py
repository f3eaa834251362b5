"""What Slack's actions fail with: Slack's own error names with `slack_` before them, each with whether time may mend it."""

from typing import Final

from weft_language.actions.action import Error, calling_errors

AGAIN: Final[dict[str, str]] = {
    "ratelimited": "too many calls; tried again when Slack says so",
    "rate_limited": "too many messages to this channel; tried again when Slack says so",
    "unavailable": "Slack answered with a status of 5xx",
    "internal_error": "Slack failed within; the message may have been sent",
    "fatal_error": "Slack failed within; the message may have been sent",
    "service_unavailable": "Slack is not there at this moment",
    "request_timeout": "Slack did not get the whole request",
    "team_added_to_org": "the workspace is being moved into an organization",
    "message_limit_exceeded": "the members of this workspace send too many messages",
}
"""Worth another attempt."""
FINAL: Final[dict[str, str]] = {
    "invalid_auth": "the token is none, or not from here; give the connection the app's bot token",
    "not_authed": "no token was sent; give the connection the app's bot token",
    "token_revoked": "the token was taken back; install the app again and give the connection its bot token",
    "token_expired": "the token has expired; give the connection a new one",
    "account_inactive": "the app or its workspace is not active any more",
    "missing_scope": "the app may not do this; give it the scope that `details.needed` names and install it again",
    "not_allowed_token_type": "the token is not a bot's; give the connection the one that begins with xoxb-",
    "channel_not_found": "there is no such channel, or the app cannot see it; use its id, and invite the app where it is private",
    "not_in_channel": "the app is not in the channel; invite it there",
    "is_archived": "the channel is archived",
    "restricted_action": "an administrator of the workspace does not let the app write there",
    "no_text": "the message is empty; give it `text` or `blocks`",
    "msg_too_long": "the text is too long",
    "invalid_blocks": "the blocks are not valid Block Kit; `details.messages` says where",
    "invalid_blocks_format": "the blocks are not valid Block Kit; `details.messages` says where",
    "invalid_metadata_format": "the metadata is not valid",
    "message_not_found": "there is no such message",
    "cant_update_message": "the app did not send this message, so it may not change it",
    "cant_delete_message": "the app did not send this message, so it may not take it back",
    "edit_window_closed": "the workspace does not let messages be changed any more after so long",
    "duplicate_message_not_found": "this step had sent its message, and somebody has taken it back since",
    "duplicate_channel_not_found": "this step had sent its message, into a channel that is gone",
    "invalid_arguments": "Slack does not take what was sent; `details.messages` says why",
    "file_uploads_disabled": "an administrator of the workspace does not let files be uploaded",
    "file_not_found": "the file was not there when it was to be shared",
    "upload_failed": "the file was not taken by the address that Slack gave for it",
    "refused": "Slack gave an error that is no name",
}
"""Permanent, as is every other error that Slack names: it has the code `slack_` and that name."""

ERRORS: Final[tuple[Error, ...]] = (
    *calling_errors("slack"),
    *((f"slack_{name}", text) for name, text in AGAIN.items()),
    *((f"slack_{name}", f"{text}; permanent") for name, text in FINAL.items()),
)
