"""HTTP bodies and views of notifications, and how preferences are written down."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from weft_language.actions.notification.model import EVENT_PATTERN
from weft_language.expressions import ExpressionError, minutes_of
from weft_runtime.http import Body, Listing, Several

from weft_tasks.notifications import EVENTS, Channel
from weft_tasks.notifications.messages import CONNECTIONS
from weft_tasks.notifications.preferences import NOTHING_CHOSEN, USUAL_HOUR, Every, Preferences, channels_of, zone_of

MAX_EVENTS: Final = 200
_DAY_MINUTES: Final = 24 * 60


def _zone(text: str) -> str:
    try:
        zone_of(text)
    except ExpressionError as error:
        raise PydanticCustomError("not_a_zone", "{detail}", {"detail": error.message}) from error
    return text


def _clock(text: str) -> str:
    if _minute(text) is None:
        raise PydanticCustomError("not_a_clock_time", "a time on the clock is written from 00:00 to 23:59, such as 22:30")
    return text


def _minute(text: str) -> int | None:
    minutes = minutes_of(text)
    return None if minutes is None or minutes >= _DAY_MINUTES else minutes


def _shown(minute: int) -> str:
    return "{:02}:{:02}".format(*divmod(minute, 60))


Clock = Annotated[str, AfterValidator(_clock)]
EventName = Annotated[str, Field(min_length=1, max_length=100, pattern=EVENT_PATTERN)]
ChannelName = Literal["in_app", "email", "slack"]


class QuietHours(Body):
    """When nothing is sent, in the person's zone; over midnight where `to` is before `from`. What is in the inbox is there at once."""

    starts: Clock = Field(alias="from")
    ends: Clock = Field(alias="to")

    @model_validator(mode="after")
    def _some_time_left(self) -> QuietHours:
        if self.starts == self.ends:
            raise PydanticCustomError("always_quiet", "quiet hours that end when they begin leave no time; mute the channel instead")
        return self


class Digest(Body):
    """How often what waits is sent in one message. at: of `daily`: when, in the person's zone."""

    every: Every = "none"
    at: Clock = _shown(USUAL_HOUR)


class PreferencesBody(Body):
    """By which ways, and when, somebody wants to be told.

    channels: by event; what is left out is told as usual, an empty list by no way at all.  zone: an IANA name or an offset.
    slack: their member id in the workspace, which is told to nobody else.  muted: ways by which nothing at all is sent.
    """

    channels: dict[EventName, Annotated[list[ChannelName], Field(max_length=3)]] = Field(default_factory=dict, max_length=MAX_EVENTS)
    zone: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_zone)] = "UTC"
    quiet_hours: QuietHours | None = None
    digest: Digest = Field(default_factory=Digest)
    slack: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,30}$")] | None = None
    muted: Annotated[list[ChannelName], Field(max_length=3)] = Field(default_factory=list)

    def chosen(self) -> Preferences:
        """As decisions read it."""
        return preferences_of(self.model_dump(mode="json", by_alias=True))


class PreferencesView(BaseModel):
    """By which ways, and when, somebody is told: what they chose, and for each other event of the house what is usual."""

    channels: dict[str, list[Channel]]
    zone: str
    quiet_hours: dict[str, str] | None
    digest: dict[str, str]
    slack: str | None
    muted: list[Channel]


class NotificationQuery(BaseModel):
    """Which of them. unread: those that are, or with false those that are not."""

    model_config = ConfigDict(extra="ignore")
    unread: bool | None = None
    event: Annotated[list[EventName], Several, Field(max_length=20)] = Field(default_factory=list)


class ReadAllBody(Body):
    """upto: only those that are not newer, such as the newest that was on the screen."""

    upto: datetime | None = None


class NotificationView(BaseModel):
    """Something that somebody was told. link: a path of this installation, or an http(s) address.  about: ids of what it is about."""

    id: UUID
    event: str
    title: str
    text: str | None
    link: str | None
    about: dict[str, Any]
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> NotificationView:
        """A row as it is shown."""
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class DeliveryView(BaseModel):
    """How a notification is sent beside the inbox. status: `waiting` until it is due, then as its message's; error: of the last attempt."""

    channel: Channel
    status: Literal["waiting", "asked", "retrying", "sent", "failed"]
    due_at: datetime
    ended_at: datetime | None
    error: dict[str, Any] | None

    @classmethod
    def of(cls, row: Any) -> DeliveryView:
        """A row as it is shown."""
        status = {None: "waiting", "waiting": "retrying"}.get(row.status, row.status)
        return cls(channel=row.channel, status=status, due_at=row.due_at, ended_at=row.ended_at, error=row.error)


class NotificationDetail(NotificationView):
    """The same, with how it is sent."""

    deliveries: list[DeliveryView]

    @classmethod
    def with_deliveries(cls, row: Any, deliveries: Sequence[Any]) -> NotificationDetail:
        """A row, with those of its deliveries."""
        return cls(**NotificationView.of(row).model_dump(), deliveries=[DeliveryView.of(one) for one in deliveries])


class StopView(BaseModel):
    """Whether anything is sent to somebody by a way."""

    channel: Channel
    on: bool


class EventView(BaseModel):
    """What one can be told of. channels: by which ways who chose nothing is told."""

    event: str
    title: str
    channels: list[Channel]


class ChannelView(BaseModel):
    """A way of being told. available: whether the tenant has the connection that it goes by.  connection: what that is called."""

    channel: Channel
    available: bool
    connection: str | None


class ChannelsView(BaseModel):
    """What there is to choose from."""

    events: list[EventView]
    channels: list[ChannelView]

    @classmethod
    def of(cls, ways: Collection[Channel]) -> ChannelsView:
        """All of it. ways: those for which the tenant has a connection."""
        events = [EventView(event=name, title=event.title, channels=sorted(event.channels)) for name, event in EVENTS.items()]
        there = {Channel.IN_APP, *ways}
        channels = [ChannelView(channel=one, available=one in there, connection=CONNECTIONS.get(one)) for one in Channel]
        return cls(events=events, channels=channels)


class Inbox(Listing[NotificationView]):
    """A page of what somebody was told. unread: how many in all they have not read."""

    unread: int


class ReadAllView(BaseModel):
    """read: how many were not read before.  unread: how many are not now, which came meanwhile."""

    read: int
    unread: int


def view(chosen: Preferences) -> PreferencesView:
    """What somebody has chosen, as it is shown."""
    events = dict.fromkeys((*EVENTS, *chosen.channels))
    unmuted = Preferences(channels=chosen.channels)
    return PreferencesView(
        channels={event: sorted(channels_of(unmuted, event)) for event in events},
        zone=chosen.zone,
        quiet_hours=None if chosen.quiet is None else {"from": _shown(chosen.quiet[0]), "to": _shown(chosen.quiet[1])},
        digest={"every": chosen.every, "at": _shown(chosen.digest_at)},
        slack=chosen.slack,
        muted=sorted(chosen.muted),
    )


def document_of(chosen: Preferences) -> dict[str, Any]:
    """What somebody has chosen, as it is kept: as it was written, so that what is usual may change for who did not choose it."""
    shown = view(chosen).model_dump(mode="json")
    return {**shown, "channels": {event: sorted(ways) for event, ways in chosen.channels.items()}}


def preferences_of(document: Mapping[str, Any]) -> Preferences:
    """What a document says. Fields that it does not have are as for who chose nothing."""
    quiet, digest = document.get("quiet_hours"), document.get("digest") or {}
    return Preferences(
        channels={event: frozenset(map(Channel, ways)) for event, ways in document.get("channels", {}).items()},
        zone=document.get("zone", NOTHING_CHOSEN.zone),
        quiet=None if quiet is None else (_minute(quiet["from"]) or 0, _minute(quiet["to"]) or 0),
        every=digest.get("every", NOTHING_CHOSEN.every),
        digest_at=_minute(digest.get("at", _shown(USUAL_HOUR))) or 0,
        slack=document.get("slack"),
        muted=frozenset(map(Channel, document.get("muted", ()))),
    )
