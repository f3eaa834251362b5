"""`with` of the nodes that rest: wait and state."""

from typing import Any

from pydantic import Field, model_validator

from weft_language.model.part import Cel, DurationTemplate, Outcome, Part, Schema, ShortText, TimeTemplate
from weft_language.model.work_data import exactly_one


class WaitWith(Part):
    """`wait`: for a duration or until a time, in a business calendar where one is named."""

    for_: DurationTemplate | None = Field(default=None, alias="for", description="A duration: 30s, 5m, 2h, 3d, PT30S.")
    until: TimeTemplate | None = Field(default=None, description="A time with an offset (RFC 3339).")
    calendar: ShortText | None = Field(default=None, description="A business calendar's name; only its working time counts then.")

    @model_validator(mode="after")
    def _one(self) -> "WaitWith":
        exactly_one(self, "for", "until")
        return self


class Signal(Part):
    """A named transition of a `state`, with the schema of what it carries."""

    schema_: Schema | None = Field(default=None, alias="schema", description="JSON Schema of the payload.")


class StateEvent(Part):
    """A domain event that a `state` waits for."""

    event: ShortText = Field(description="Event type or glob.")
    match: Cel | None = Field(default=None, description="CEL over `event` and the execution's names.")


class StateWith(Part):
    """`state`: a resting place that a signal, an event or time leaves."""

    signals: dict[Outcome, Signal] = Field(default_factory=dict, max_length=100)
    events: dict[Outcome, StateEvent] = Field(default_factory=dict, max_length=100)
    after: dict[Outcome, DurationTemplate] = Field(default_factory=dict, max_length=100)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Every name that can leave this state, in listed order."""
        named: tuple[dict[str, Any], ...] = (self.signals, self.events, self.after)
        return tuple(dict.fromkeys(name for names in named for name in names))
