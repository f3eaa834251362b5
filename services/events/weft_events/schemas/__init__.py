"""HTTP bodies and views."""

from weft_events.schemas.events import EventSummary, EventView, ExplanationView, ReceiptView, event, explanation, receipt, summary
from weft_events.schemas.schedules import BackfillBody, BackfillView, NextView, ScheduleView, backfill, next_times, schedule

__all__ = [
    "BackfillBody",
    "BackfillView",
    "EventSummary",
    "EventView",
    "ExplanationView",
    "NextView",
    "ReceiptView",
    "ScheduleView",
    "backfill",
    "event",
    "explanation",
    "next_times",
    "receipt",
    "schedule",
    "summary",
]
