"""HTTP bodies and views."""

from weft_events.schemas.events import EventSummary, EventView, ExplanationView, ReceiptView, event, explanation, receipt, summary
from weft_events.schemas.mails import MailView, NoticeReceiptView, mail
from weft_events.schemas.schedules import BackfillBody, BackfillView, NextView, ScheduleView, backfill, next_times, schedule
from weft_events.schemas.sources import (
    InstallView,
    SourceBody,
    SourceChangeBody,
    SourceSummary,
    SourceView,
    installation,
    source,
    source_summary,
    watched,
)
from weft_events.schemas.watching import TableEventsBody, TableEventsView, table_events

__all__ = [
    "BackfillBody",
    "BackfillView",
    "EventSummary",
    "EventView",
    "ExplanationView",
    "InstallView",
    "MailView",
    "NextView",
    "NoticeReceiptView",
    "ReceiptView",
    "ScheduleView",
    "SourceBody",
    "SourceChangeBody",
    "SourceSummary",
    "SourceView",
    "TableEventsBody",
    "TableEventsView",
    "backfill",
    "event",
    "explanation",
    "installation",
    "mail",
    "next_times",
    "receipt",
    "schedule",
    "source",
    "source_summary",
    "summary",
    "table_events",
    "watched",
]
