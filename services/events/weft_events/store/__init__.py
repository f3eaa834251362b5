"""Queries, always of one tenant; taking events in is for many at once, each with its tenant."""

from weft_events.store.copies import (
    Tenant,
    TriggerSet,
    active_triggers,
    install,
    remember_tenant,
    stamp_tenant,
    tenant_row,
    tenant_row_shared,
    triggers,
)
from weft_events.store.listening import (
    apply,
    hold_waits,
    known_positions,
    look_back,
    mark,
    register,
)
from weft_events.store.log import as_uuid, delivered, get, list_events, note_verdict, reject_if_all_were, verdicts
from weft_events.store.taking import EventKey, add, claim, count_duplicates, key_of

__all__ = [
    "EventKey",
    "Tenant",
    "TriggerSet",
    "active_triggers",
    "add",
    "apply",
    "as_uuid",
    "claim",
    "count_duplicates",
    "delivered",
    "get",
    "hold_waits",
    "install",
    "key_of",
    "known_positions",
    "list_events",
    "look_back",
    "mark",
    "note_verdict",
    "register",
    "reject_if_all_were",
    "remember_tenant",
    "stamp_tenant",
    "tenant_row",
    "tenant_row_shared",
    "triggers",
    "verdicts",
]
