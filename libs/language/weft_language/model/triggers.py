"""Triggers: what starts an execution."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.durations import parse_duration, parse_time
from weft_language.model.part import (
    Bool,
    Cel,
    Identifier,
    Int,
    Name,
    Part,
    PositiveDuration,
    Schema,
    ShortText,
    Text,
    Time,
    Values,
)
from weft_language.model.work_data import Conditions, exactly_one
from weft_language.records import InvalidField, read_field
from weft_language.timetable import MIN_EVERY_S, CatchUp, InvalidCron, Timetable, UnknownZone, read_cron, read_zone

Operation = Literal["create", "update", "delete"]
HttpMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Signature = Literal["standard-webhooks", "hmac-sha256", "slack", "svix", "github", "none"]


def _cron(text: str) -> str:
    try:
        read_cron(text)
    except InvalidCron as error:
        raise PydanticCustomError("invalid_cron", "{detail}", {"detail": str(error)}) from error
    return text


def _zone(text: str) -> str:
    try:
        read_zone(text)
    except UnknownZone as error:
        raise PydanticCustomError("unknown_zone", "{detail}", {"detail": str(error)}) from error
    return text


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    for name, wanted in given.items():
        try:
            read_field(name, wanted)
        except InvalidField as error:
            raise PydanticCustomError("field_condition", "{detail}", {"detail": str(error)}) from error
    return given


def _every(text: str) -> str:
    if parse_duration(text) < MIN_EVERY_S:
        raise PydanticCustomError("too_often", "should be at least 1s: nothing is started more often")
    return text


def _reachable(path: str) -> str:
    if {".", ".."} & set(path.split("/")):
        raise PydanticCustomError("unreachable_path", "should have no part that is `.` or `..`: clients take those out of an address")
    return path


def _mail_address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain or _NO_ADDRESS.search(text) or "@" in local:
        raise PydanticCustomError(
            "mail_address", "should be one mail address such as orders@acme.example, or a glob of them such as *@acme.example"
        )
    return text


_NO_ADDRESS = re.compile(r"""[\s<>"'(),:;\\\[\]\x00-\x1f\x7f]""")
_CRON_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "examples": ["30 6 * * MON-FRI", "0 9 L * *", "@daily"]}
Cron = Annotated[str, Strict(), Field(min_length=1, max_length=255), AfterValidator(_cron), WithJsonSchema(_CRON_SCHEMA)]
"""Five fields as Debian's cron reads them, or a macro."""
Zone = Annotated[str, Strict(), Field(min_length=1, max_length=100), AfterValidator(_zone)]
"""An IANA name, or an offset such as `+02:00`."""
HookPath = Annotated[
    str,
    Strict(),
    Field(min_length=1, max_length=200, pattern=r"^/?[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$"),
    AfterValidator(_reachable),
]
"""Words between slashes, as they stand in an address without being escaped; one slash before them makes no difference."""
MailAddress = Annotated[str, Strict(), Field(min_length=3, max_length=254), AfterValidator(_mail_address)]
"""An address of mails, or a glob of them; capital letters make no difference."""


class TriggerFields(Part):
    """What every trigger has."""

    id: Identifier | None = Field(default=None, description="Unique among the triggers; trigger_<n> when absent.")
    when: Cel | None = Field(default=None, description="CEL over `trigger`.")
    conditions: Conditions | None = Field(default=None, description="Conditions as data, in addition to `when`.")
    input: Values | None = Field(default=None, description="Builds the execution's input; the event's data when absent.")
    priority: Int = Field(default=100, ge=0, le=1_000_000, description="Smaller first.")
    key: Text | None = Field(default=None, description="A template: at most one live execution per key.")
    enabled: Bool = True


class EventTrigger(TriggerFields):
    """A domain event of a type arrives."""

    on: Literal["event"]
    event: ShortText = Field(description="Event type or glob, such as invoice.*")
    source: ShortText | None = Field(default=None, description="Only from this source, or glob of sources.")
    correlate: Text | None = Field(
        default=None,
        description="A template: an event goes to the live execution with this value as its key, as the signal named like the trigger; "
        "without one it starts one with that key.",
    )

    @model_validator(mode="after")
    def _one_key(self) -> "EventTrigger":
        if self.key is not None and self.correlate is not None:
            raise PydanticCustomError("one_of", "give `key` or `correlate`, not both: the correlated value is the key")
        return self


class RecordTrigger(TriggerFields):
    """A row of a watched table changes."""

    on: Literal["record"]
    table: ShortText = Field(description="What its source calls it: the table's name, unless the source gives it another.")
    operation: Operation | Annotated[tuple[Operation, ...], Field(min_length=1)] = ("create", "update", "delete")
    changed: tuple[Name, ...] = Field(
        default=(), description="Only when one of these fields changed. A row that comes or goes changes those that are not null."
    )
    fields: Annotated[dict[Name, Any], Field(max_length=100), AfterValidator(_fields)] = Field(
        default_factory=dict,
        description="Conditions on fields of the row, all of which hold: a value it is equal to, or {operator: value} as in conditions.",
    )


class ScheduleTrigger(TriggerFields):
    """Its time comes."""

    on: Literal["schedule"]
    cron: Cron | None = Field(default=None, description="Minute, hour, day of the month, month, weekday; or @hourly, @daily and so on.")
    every: Annotated[PositiveDuration, AfterValidator(_every)] | None = Field(
        default=None, description="At least 1s; counted from `starts`, else from when it first became active."
    )
    timezone: Zone = Field(default="UTC", description="Whose clock `cron` means: an IANA name, or an offset such as +02:00.")
    catch_up: CatchUp = Field(default="skip", description="What happens to times missed: nothing, one start for all, or each.")
    starts: Time | None = Field(default=None, description="The first time at which it may be due.")
    ends: Time | None = Field(default=None, description="The last time at which it may be due.")

    @model_validator(mode="after")
    def _one(self) -> "ScheduleTrigger":
        exactly_one(self, "cron", "every")
        return self


def timetable_of(schedule: ScheduleTrigger) -> Timetable:
    """When a schedule is due."""
    return Timetable(
        zone=schedule.timezone,
        cron=None if schedule.cron is None else read_cron(schedule.cron),
        every=None if schedule.every is None else timedelta(seconds=parse_duration(schedule.every)),
        starts=None if schedule.starts is None else parse_time(schedule.starts),
        ends=None if schedule.ends is None else parse_time(schedule.ends),
    )


class WebhookTrigger(TriggerFields):
    """Its address is called and the signature is right."""

    on: Literal["webhook"]
    path: HookPath = Field(description="What stands behind /hooks/<tenant>/ in the address; several workflows may share it.")
    methods: tuple[HttpMethod, ...] = Field(default=("POST",), min_length=1)
    signature: Signature = Field(default="standard-webhooks", description="How a call is signed; `none`: anybody may call.")
    connection: ShortText | None = Field(default=None, description="The connection of type `webhook` that holds the signing secret.")


class EmailTrigger(TriggerFields):
    """A mail arrives for its address."""

    on: Literal["email"]
    address: MailAddress = Field(
        description="What the mail is for: an address, also with a tag (`a+tag@b` comes to `a@b`), or a glob such as *@acme.example."
    )


class ManualTrigger(TriggerFields):
    """A person or a service starts it."""

    on: Literal["manual"]
    form: Schema | None = None


AnyTrigger = Annotated[
    EventTrigger | RecordTrigger | ScheduleTrigger | WebhookTrigger | EmailTrigger | ManualTrigger, Field(discriminator="on")
]
TRIGGER_KINDS = ("event", "record", "schedule", "webhook", "email", "manual")
