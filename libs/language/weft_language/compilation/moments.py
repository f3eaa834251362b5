"""Durations and times in a node's `with`: constants are read once, templates when their step runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from weft_language.expressions import ExpressionError, Template, compile_template
from weft_language.model.durations import DURATION_HINT, InvalidDuration, InvalidTime, parse_duration, parse_time


@dataclass(frozen=True, slots=True)
class DelayValue:
    """A length of time: `constant` seconds, or what `template` renders to (a duration text, or a number of seconds)."""

    text: str
    constant: float | None
    template: Template | None = None

    @classmethod
    def compile(cls, text: str) -> "DelayValue":
        """Read a duration or template text. Raises: InvalidDuration, ExpressionError."""
        if "{{" not in text:
            return cls(text, parse_duration(text))
        return cls(text, None, compile_template(text))

    def seconds(self, names: Mapping[str, Any]) -> float:
        """Seconds, 0 or more. Raises: ExpressionError when the template fails or gives no duration."""
        if self.constant is not None or self.template is None:
            return self.constant or 0.0
        value = self.template.render(names)
        try:
            return _seconds(value)
        except InvalidDuration as error:
            raise ExpressionError("expression_value", str(error), expression=self.text) from error


@dataclass(frozen=True, slots=True)
class TimeValue:
    """An instant: `constant`, or what `template` renders to (an RFC 3339 text)."""

    text: str
    constant: datetime | None
    template: Template | None = None

    @classmethod
    def compile(cls, text: str) -> "TimeValue":
        """Read a time or template text. Raises: InvalidTime, ExpressionError."""
        if "{{" not in text:
            return cls(text, parse_time(text))
        return cls(text, None, compile_template(text))

    def at(self, names: Mapping[str, Any]) -> datetime:
        """The instant, in UTC. Raises: ExpressionError when the template fails or gives no time."""
        if self.constant is not None:
            return self.constant
        value = self.template.render(names) if self.template is not None else None
        return _instant(value, self.text)


@dataclass(frozen=True, slots=True)
class DueValue:
    """When a task is due: a duration from its creation, or an instant; constant or a template of either."""

    text: str
    delay_s: float | None = None
    instant: datetime | None = None
    template: Template | None = None

    @classmethod
    def compile(cls, text: str) -> "DueValue":
        """Read a duration, time or template text. Raises: InvalidDuration, ExpressionError."""
        if "{{" in text:
            return cls(text, template=compile_template(text))
        try:
            return cls(text, instant=parse_time(text))
        except InvalidTime:
            return cls(text, delay_s=parse_duration(text))

    def at(self, names: Mapping[str, Any], now: datetime) -> datetime:
        """The instant, in UTC. now: when the task is created. Raises: ExpressionError when it is neither."""
        if self.instant is not None:
            return self.instant
        if self.delay_s is not None or self.template is None:
            return _later(now, self.delay_s or 0.0, self.text)
        value = self.template.render(names)
        try:
            return _later(now, _seconds(value), self.text)
        except InvalidDuration:
            return _instant(value, self.text)


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3_153_600_000:
        return float(value)
    raise InvalidDuration(f"{str(value)[:60]!r} is not a duration; {DURATION_HINT}")


def _instant(value: Any, text: str) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    try:
        return parse_time(value if isinstance(value, str) else str(value))
    except InvalidTime as error:
        raise ExpressionError("expression_value", str(error), expression=text) from error


def _later(now: datetime, seconds: float, text: str) -> datetime:
    try:
        return now + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ExpressionError("expression_value", "the time is beyond the calendar", expression=text) from error
