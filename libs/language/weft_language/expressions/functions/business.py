"""`business_time(from, duration, calendar)`: working time added to a moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from weft_language.expressions.errors import TYPE, ExpressionError
from weft_language.expressions.functions.calendars import calendar_named, compile_calendar
from weft_language.expressions.functions.registry import ANY, DURATION, TEXT, TIME, in_scope
from weft_language.expressions.functions.times import parse_duration, parse_time
from weft_language.expressions.limits import Frame, spend
from weft_language.expressions.values import spoken

_READING_STEPS: Final = 100


@in_scope("business_time", ANY, ANY, ANY)
def business_time(names: Mapping[str, Any], frame: Frame, start: Any, span: Any, calendar: Any) -> datetime:
    """The moment when `span` of working time has passed since `start`; before it, for a negative span.

    start: a timestamp, or its text.  span: a duration, or its text.  calendar: the name of one, or one as `compile_calendar` reads it.
    Raises: ExpressionError where an argument is none of these (`unknown_calendar` for a name that is none) or no working time is found
    within ten years.
    """
    moment = parse_time(frame, start) if type(start) in TEXT else start
    length = parse_duration(frame, span) if type(span) in TEXT else span
    if type(moment) not in TIME or type(length) not in DURATION:
        wanted = f"not {spoken(start)} and {spoken(span)}"
        raise ExpressionError(TYPE, f"business_time takes a timestamp and a duration, {wanted}")
    if type(calendar) is str:
        found = calendar_named(names, calendar)
        spend(frame, _READING_STEPS)
    else:
        try:
            found = compile_calendar(calendar)
        except ExpressionError as error:
            error.pointer = ""  # into the calendar; here it would be taken for one into the document
            raise
        spend(frame, _READING_STEPS + 4 * (len(found.holidays) + sum(map(len, found.hours))))
    return found.after(moment, length, partial(spend, frame))
