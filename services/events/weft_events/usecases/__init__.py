"""The verbs: load, decide, save, say."""

from weft_events.usecases.events import (
    Receipt,
    explain,
    forget_events,
    install_workflow,
    kept_days,
    note_rejected,
    note_skipped,
    receive,
    remember_tenant,
    subscribe,
)
from weft_events.usecases.schedules import SCHEDULES_AT_ONCE, STARTS_AT_ONCE, Backfill, backfill, fire_due, next_due, pause, put_off, resume

__all__ = [
    "SCHEDULES_AT_ONCE",
    "STARTS_AT_ONCE",
    "Backfill",
    "Receipt",
    "backfill",
    "explain",
    "fire_due",
    "forget_events",
    "install_workflow",
    "kept_days",
    "next_due",
    "note_rejected",
    "note_skipped",
    "pause",
    "put_off",
    "receive",
    "remember_tenant",
    "resume",
    "subscribe",
]
