"""What can go wrong with an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from weft_runtime.errors import (
    Conflict,
    Invalid,
    Malformed,
    NotFound,
    PreconditionFailed,
    RateLimited,
    StaleWrite,
    TooLarge,
    Unauthenticated,
)


class EventNotFound(NotFound):
    """This tenant has no such event."""

    code = "event_not_found"


class EventTooLarge(TooLarge):
    """An event is larger than 256 KiB."""

    code = "event_too_large"


class TooManyEvents(Invalid):
    """A batch holds more events than one request or message may."""

    code = "too_many_events"


class MalformedEvent(Malformed):
    """The bytes are no CloudEvent at all."""

    code = "malformed_event"


class InvalidEvent(Invalid):
    """It is meant as a CloudEvent and breaks its rules; each is in `errors` with its pointer."""

    code = "invalid_event"


class UnsupportedFormat(Invalid):
    """A CloudEvents format other than JSON. 415."""

    status, code = 415, "unsupported_format"


class ForeignTenant(Invalid):
    """The event names another tenant than the one it is sent for."""

    code = "foreign_tenant"


class UnknownTenant(Invalid):
    """A message names no tenant, neither in `tenantid` nor in its routing key."""

    code = "unknown_tenant"


class BrokenTriggers(Invalid):
    """The triggers of a workflow cannot be read or compiled."""

    code = "broken_triggers"


class ScheduleNotFound(NotFound):
    """This tenant has no such schedule."""

    code = "schedule_not_found"


class ScheduleInactive(Conflict):
    """Nothing can be started by a schedule whose workflow is inactive or whose trigger is switched off."""

    code = "schedule_inactive"


class ScheduleUnreadable(Conflict):
    """The rule of a schedule was written for another release, and this one cannot read it."""

    code = "schedule_unreadable"


class BadSpan(Invalid):
    """The span of a backfill is backwards, in the future, too long, or holds too many moments."""

    code = "bad_span"


class BadZone(Invalid):
    """A text names no time zone."""

    code = "unknown_zone"


class HookNotFound(NotFound):
    """No active workflow has a webhook at this address. Nothing tells whether there is such a tenant."""

    code = "hook_not_found"

    def __init__(self) -> None:
        super().__init__("no active workflow has a webhook at this address; check the tenant, the path, and that the workflow is active")


class MethodNotAllowed(Invalid):
    """The webhook is not called by this method. 405."""

    status, code = 405, "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        named = ", ".join(allowed)
        super().__init__(f"this webhook is called by {named}; use that, or name the method in `methods` of its trigger")
        self.headers = MappingProxyType({"Allow": named})


class Unverified(Unauthenticated):
    """A call of a webhook is not signed as it should be. 401, always in the same words. why: for the log."""

    code = "unverified"
    headers = MappingProxyType({"WWW-Authenticate": 'Signature realm="weft"'})

    def __init__(self, why: Sequence[str]) -> None:
        super().__init__(
            "this call cannot be verified; sign the very bytes that are sent, by the scheme of the webhook's trigger and with the secret "
            "of its connection, and let the clocks be right"
        )
        self.why = tuple(why)


class InvalidNotice(Invalid):
    """A provider tells of a mail in another form than it describes; each fault is in `errors` with its pointer."""

    code = "invalid_notice"


class UnreadableMail(Malformed):
    """The bytes are no mail, or one that is built to be too much. 400; `code` says what is wrong."""

    code = "mail_unreadable"


class MailNotFound(NotFound):
    """This tenant was told of no such mail."""

    code = "mail_not_found"


class MailNotFailed(Conflict):
    """Only a mail that could not be fetched is asked for again."""

    code = "mail_not_failed"


class UnsupportedBody(Invalid):
    """The body of a webhook's call is of a media type that is not read. 415."""

    status, code = 415, "unsupported_media_type"


class TooManyCalls(RateLimited):
    """A tenant's webhooks are called more often than they may be. standing: the headers that tell of the limit."""

    def __init__(self, quota: int, retry_after_s: int, standing: Mapping[str, str]) -> None:
        super().__init__(
            f"the webhooks of this tenant were called more than {quota} times in an hour; wait {retry_after_s} s",
            retry_after_s=retry_after_s,
        )
        self.headers = MappingProxyType(dict(standing))


class SourceNotFound(NotFound):
    """This tenant has no such source."""

    code = "source_not_found"


class SourceExists(Conflict):
    """The tenant has a source of this name."""

    code = "source_exists"


class TableWatched(Conflict):
    """Another source of the tenant has a table of this name."""

    code = "table_watched"


class TooManySources(Conflict):
    """The tenant has as many sources as it may have."""

    code = "too_many_sources"


class SourceMoved(PreconditionFailed):
    """The source changed since it was read."""

    code = "source_changed"


class SourceTaken(StaleWrite):
    """Another process reads this source now."""

    code = "source_taken"


class TablesUnusable(Invalid):
    """Tables of a source are not there, or are none that can be watched."""

    code = "tables_unusable"


class SourceUnusable(Conflict):
    """A source's database does not do what is asked: `source_unreachable`, `source_denied` and so on. 409, since it may do so later."""

    code = "source_unusable"


class TableNotWatched(NotFound):
    """No source of the tenant watches a table of this name, and it has no settings."""

    code = "table_not_watched"


class TableEventsMoved(PreconditionFailed):
    """The settings of a table changed since they were read."""

    code = "table_events_changed"

    def __init__(self, name: str, etag: str, version: int) -> None:
        super().__init__(f"the settings of {name} are version {version} by now, not {etag[:40]}; read them again and decide anew")
