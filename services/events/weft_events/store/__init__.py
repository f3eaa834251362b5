"""Queries, always of one tenant; taking events in is for many at once, each with its tenant."""

from weft_events.store.copies import (
    Tenant,
    TriggerSet,
    active_triggers,
    install,
    remember_tenant,
    stamp_tenant,
    tenant_row,
    triggers,
)
from weft_events.store.log import as_uuid, get, list_events, note_verdict, reject_if_all_were, verdicts
from weft_events.store.taking import EventKey, add, claim, count_duplicates, key_of

__all__ = [
    "EventKey",
    "Tenant",
    "TriggerSet",
    "active_triggers",
    "add",
    "as_uuid",
    "claim",
    "count_duplicates",
    "get",
    "install",
    "key_of",
    "list_events",
    "note_verdict",
    "reject_if_all_were",
    "remember_tenant",
    "stamp_tenant",
    "tenant_row",
    "triggers",
    "verdicts",
]
