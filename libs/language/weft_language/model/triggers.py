"""Triggers: what starts an execution."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

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

Operation = Literal["create", "update", "delete"]
HttpMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


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
    table: ShortText
    operation: Operation | Annotated[tuple[Operation, ...], Field(min_length=1)] = ("create", "update", "delete")
    changed: tuple[Name, ...] = Field(default=(), description="Only when one of these fields changed.")
    fields: dict[Name, Any] = Field(default_factory=dict, description="Conditions on fields.")


class ScheduleTrigger(TriggerFields):
    """Its time comes."""

    on: Literal["schedule"]
    cron: ShortText | None = None
    every: PositiveDuration | None = None
    timezone: ShortText = "UTC"
    catch_up: Literal["skip", "once", "all"] = "skip"
    starts: Time | None = None
    ends: Time | None = None

    @model_validator(mode="after")
    def _one(self) -> "ScheduleTrigger":
        exactly_one(self, "cron", "every")
        return self


class WebhookTrigger(TriggerFields):
    """Its address is called and the signature is right."""

    on: Literal["webhook"]
    path: Annotated[str, Field(strict=True, min_length=1, max_length=200, pattern=r"^/?[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")]
    methods: tuple[HttpMethod, ...] = Field(default=("POST",), min_length=1)
    signature: Literal["standard-webhooks", "hmac-sha256", "slack", "svix", "github", "none"] = "standard-webhooks"
    connection: ShortText | None = None


class EmailTrigger(TriggerFields):
    """A mail arrives for its address."""

    on: Literal["email"]
    address: ShortText


class ManualTrigger(TriggerFields):
    """A person or a service starts it."""

    on: Literal["manual"]
    form: Schema | None = None


AnyTrigger = Annotated[
    EventTrigger | RecordTrigger | ScheduleTrigger | WebhookTrigger | EmailTrigger | ManualTrigger, Field(discriminator="on")
]
TRIGGER_KINDS = ("event", "record", "schedule", "webhook", "email", "manual")
