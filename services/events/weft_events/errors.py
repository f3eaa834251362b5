"""What can go wrong with an event."""

from __future__ import annotations

from weft_runtime.errors import Conflict, Invalid, Malformed, NotFound, TooLarge


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


class BadSpan(Invalid):
    """The span of a backfill is backwards, in the future, too long, or holds too many moments."""

    code = "bad_span"


class BadZone(Invalid):
    """A text names no time zone."""

    code = "unknown_zone"
