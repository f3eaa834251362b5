"""HTTP bodies and views of business calendars."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from weft_language.expressions import ExpressionError, compile_calendar, minutes_of
from weft_runtime.http import Body

from weft_tasks.calendars import Calendar, Hours

NAME: Final = r"^\w(?:[\w .-]{0,98}\w)?$"
"""Names of calendars: letters and digits of any script, with `_`, `-`, `.` and spaces between them."""
MAX_HOLIDAYS: Final = 2_000
MAX_SPANS: Final = 24
_WORK_DAYS: Final = ("mon", "tue", "wed", "thu", "fri")


def _zone(text: str) -> str:
    try:
        compile_calendar({"zone": text})
    except ExpressionError as error:
        raise PydanticCustomError("not_a_zone", "{detail}", {"detail": error.message}) from error
    return text


def _clock(text: str) -> str:
    if minutes_of(text) is None:
        raise PydanticCustomError("not_a_clock_time", "a time on the clock is written from 00:00 to 24:00, such as 09:00")
    return text


def _span(pair: list[str]) -> list[str]:
    opens, closes = map(_minutes, pair)
    if opens >= closes:
        raise PydanticCustomError(
            "closes_before_opening",
            "{closes} is not after {opens}; a night is written as two days: until 24:00, and from 00:00 of the next",
            {"opens": pair[0], "closes": pair[1]},
        )
    return pair


def _in_order(spans: list[list[str]]) -> list[list[str]]:
    for before, after in pairwise(spans):
        if _minutes(after[0]) < _minutes(before[1]):
            message = "{before} and {after} overlap or are not in order; list the hours of a day from morning to evening"
            raise PydanticCustomError("hours_overlap", message, {"before": "-".join(before), "after": "-".join(after)})
    return spans


def _some(hours: dict[Any, list[list[str]]]) -> dict[Any, list[list[str]]]:
    if not any(hours.values()):
        raise PydanticCustomError("no_working_time", "a calendar needs working time on one day of the week at least")
    return hours


def _minutes(clock: str) -> int:
    return minutes_of(clock) or 0


Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, AfterValidator(_clock)]
Span = Annotated[list[Clock], Field(min_length=2, max_length=2), AfterValidator(_span)]
Spans = Annotated[list[Span], Field(max_length=MAX_SPANS), AfterValidator(_in_order)]


class CalendarBody(Body):
    """When work is done.

    zone: an IANA name or an offset.  hours: opening and closing times by day; a day that is left out has none.  holidays: days without any.
    """

    zone: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_zone)] = "UTC"
    hours: Annotated[dict[Day, Spans], AfterValidator(_some)] = Field(
        default_factory=lambda: {day: [["09:00", "17:00"]] for day in _WORK_DAYS},
        description="Monday to Friday, 09:00 to 17:00, where it is left out.",
    )
    holidays: list[date] = Field(default_factory=list, max_length=MAX_HOLIDAYS)

    def spans(self) -> Hours:
        """The hours as a calendar has them."""
        return {day: tuple((opens, closes) for opens, closes in spans) for day, spans in self.hours.items()}


class CalendarSummary(BaseModel):
    """A calendar in a list."""

    name: str
    zone: str
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    updated_by: str | None

    @classmethod
    def of(cls, calendar: Calendar) -> CalendarSummary:
        """The view of a calendar."""
        return cls.model_validate(calendar, from_attributes=True)


class CalendarView(CalendarSummary):
    """A calendar, whole."""

    hours: dict[str, list[list[str]]]
    holidays: list[str]

    @classmethod
    def of(cls, calendar: Calendar) -> CalendarView:
        """The view of a calendar."""
        about = CalendarSummary.of(calendar).model_dump()
        return cls(**about, hours=_listed(calendar.hours), holidays=list(calendar.holidays))


class CalendarVersionView(BaseModel):
    """What a calendar said, from when on, and who wrote it."""

    version: int
    zone: str
    hours: dict[str, list[list[str]]]
    holidays: list[str]
    at: datetime
    by: str | None

    @classmethod
    def of(cls, row: Any) -> CalendarVersionView:
        """The view of a row of `calendar_versions`."""
        return cls(version=row.version, at=row.at, by=row.by, **row.document)


def _listed(hours: Hours) -> dict[str, list[list[str]]]:
    return {day: [list(span) for span in spans] for day, spans in hours.items()}
