"""What has to hold beside the trigger, and the CEL that it means."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from weft_language.expressions.literals import quoted
from weft_language.model.durations import InvalidTime, parse_time
from weft_language.model.triggers import Zone
from weft_language.records import FIELD_OPERATORS
from weft_language.rules.part import FieldName, Line, RulePart, is_deeper
from weft_language.rules.quoting import path, texts
from weft_language.rules.trigger import RuleTrigger

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
"""As CEL counts the days of a week, from 0."""
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
ROLES_FIELD: Final = "user.roles"
"""Where a domain event says which roles whoever caused it has, unless the condition names another field."""


def _clock(text: str) -> str:
    if _CLOCK.fullmatch(text) is None:
        raise PydanticCustomError("wrong_format", "should be a time of day such as 09:00, from 00:00 to 24:00")
    return text


def _moment(text: str) -> str:
    try:
        parse_time(text)
    except InvalidTime as error:
        raise PydanticCustomError("invalid_time", "{detail}", {"detail": str(error)}) from error
    return text


Clock = Annotated[str, Strict(), AfterValidator(_clock)]
Moment = Annotated[str, Strict(), Field(max_length=64), AfterValidator(_moment)]


class FieldValueConfig(RulePart):
    """A field of what changed, compared. operator: as in conditions; `value` is left out where it compares with nothing."""

    field: FieldName
    operator: Annotated[str, Strict()] = "eq"
    value: Any = None

    @model_validator(mode="after")
    def _known(self) -> FieldValueConfig:
        if self.operator not in FIELD_OPERATORS:
            known = ", ".join(FIELD_OPERATORS)
            raise PydanticCustomError("not_allowed", "`operator` should be one of {known}", {"known": known})
        if is_deeper(self.value):
            raise PydanticCustomError("too_deep", "`value` should not be nested over 8 levels")
        if self.compares and "value" not in self.model_fields_set:
            raise PydanticCustomError("missing", "`{operator}` needs `value`", {"operator": self.operator})
        if not self.compares and self.value not in (None, True):
            raise PydanticCustomError("not_allowed", "`{operator}` compares with nothing: leave `value` out", {"operator": self.operator})
        return self

    @property
    def compares(self) -> bool:
        """Whether the operator compares with a value."""
        return self.operator not in ("exists", "not_exists", "is_empty", "is_not_empty", "changed")

    @property
    def wanted(self) -> dict[str, Any]:
        """As `field_conditions` has it."""
        return {self.operator: self.value if self.compares else True}


class TimeBasedConfig(RulePart):
    """When it happens: on these days of the week, between these times of day, within a span; whatever is given has to hold.

    from, to: times of day, `to` not included; where `to` is the earlier one the time goes over midnight.
    """

    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] | None = None
    since: Clock | None = Field(default=None, alias="from")
    until: Clock | None = Field(default=None, alias="to")
    timezone: Zone = Field(default="UTC", description="Whose days and times these are: an IANA name or an offset.")
    starts: Moment | None = Field(default=None, description="Not before this time.")
    ends: Moment | None = Field(default=None, description="Only before this time.")

    @model_validator(mode="after")
    def _says_something(self) -> TimeBasedConfig:
        if (self.since is None) != (self.until is None):
            raise PydanticCustomError("one_of", "`from` and `to` go together: give both or neither")
        if self.since is not None and self.since == self.until:
            raise PydanticCustomError("out_of_range", "`from` and `to` are the same time, which is never")
        if not (self.weekdays or self.since or self.starts or self.ends):
            raise PydanticCustomError("missing", "give `weekdays`, `from` and `to`, `starts` or `ends`")
        return self


class RoleBasedConfig(RulePart):
    """Which roles whoever caused it has. match: whether any, all or none of `roles` have to be among them."""

    roles: Annotated[tuple[Annotated[Line, Field(max_length=320)], ...], Field(min_length=1, max_length=50)]
    match: Literal["any", "all", "none"] = "any"
    field: FieldName | None = Field(default=None, description="Which field holds them, one or a list; `user.roles` of a domain event.")


class FieldValueCondition(RulePart):
    """A condition on a field."""

    condition_type: Literal["field_value"]
    condition_config: FieldValueConfig


class TimeBasedCondition(RulePart):
    """A condition on the time."""

    condition_type: Literal["time_based"]
    condition_config: TimeBasedConfig


class RoleBasedCondition(RulePart):
    """A condition on who caused it."""

    condition_type: Literal["role_based"]
    condition_config: RoleBasedConfig


Condition = Annotated[FieldValueCondition | TimeBasedCondition | RoleBasedCondition, Field(discriminator="condition_type")]


def time_based(config: TimeBasedConfig) -> str:
    """The CEL of a condition on the time."""
    zone, parts = quoted(config.timezone), []
    if config.weekdays:
        days = sorted({_DAYS.index(day) for day in config.weekdays})
        parts.append(f"now.getDayOfWeek({zone}) in {days}")
    if config.since is not None and config.until is not None:
        low, high = _minutes(config.since), _minutes(config.until)
        time = f"now.getHours({zone}) * 60 + now.getMinutes({zone})"
        parts.append(f"({time} >= {low} {'&&' if low < high else '||'} {time} < {high})")
    if config.starts is not None:
        parts.append(f"now >= timestamp({quoted(_utc(config.starts))})")
    if config.ends is not None:
        parts.append(f"now < timestamp({quoted(_utc(config.ends))})")
    return " && ".join(parts)


def role_based(config: RoleBasedConfig, trigger: RuleTrigger) -> str:
    """The CEL of a condition on roles: of a list of them, or of one."""
    roles = f"default({path(trigger.row, config.field or ROLES_FIELD)}, [])"
    found = f"(type({roles}) == list ? role in {roles} : role == {roles})"
    quantified = f"{texts(config.roles)}.{'all' if config.match == 'all' else 'exists'}(role, {found})"
    return f"!{quantified}" if config.match == "none" else quantified


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def _utc(text: str) -> str:
    return parse_time(text).isoformat()
