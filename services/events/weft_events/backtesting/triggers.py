"""Which triggers of a version a recorded event is for, and what would have come of each: by the rules that events are matched by. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from weft_events import domain, hooks, records
from weft_events.domain import CALLED, HOOKS, MAILED, MAILS, RECORDS, SCHEDULES, Candidate, Considered, Matching, Received, TriggerIndex
from weft_events.mails.matching import AddressIndex
from weft_events.records import Change, TableEvents


@dataclass(frozen=True, slots=True)
class Tried:
    """The triggers of a version, found as those of live ones are.

    rows: by table.  left_out: those that the log tells nothing of.  tables: settings of tables, by name.
    """

    matching: Matching
    rows: Mapping[str, Sequence[Candidate]]
    calls: Sequence[Candidate]
    mails: AddressIndex
    by_id: Mapping[str, Candidate]
    left_out: Sequence[Candidate]
    tables: Mapping[str, TableEvents] = field(default_factory=dict)

    @property
    def types(self) -> tuple[list[str], list[str]]:
        """The types of the events that it can be for: exact ones, and globs."""
        exact, globs = self.matching.index.patterns()
        changes = {f"record.{table}.{one}" for table, several in self.rows.items() for each in several for one in _operations(each)}
        exact = [*exact, *sorted(changes)]
        exact += [CALLED] if self.calls else []
        return [*exact, *([MAILED] if self.mails.all else [])], globs


def tried(
    workflow: str, version: int, documents: Sequence[Mapping[str, Any]], tenant: Mapping[str, Any], tables: Mapping[str, TableEvents]
) -> Tried:
    """The triggers of a version. documents: as written.  tables: settings of tables, by name.  Raises: BrokenTriggers."""
    found = domain.candidates(workflow, version, documents)
    left_out = [one for one in found if one.trigger.on == "schedule"]
    calls = [one for one in found if one.trigger.hook is not None]
    by_id = {one.trigger.id: one for one in found}
    return Tried(Matching(TriggerIndex(found), tenant), records.by_table(found), calls, AddressIndex(found), by_id, left_out, tables)


def consider(received: Received, by: Tried) -> Iterator[Considered]:
    """What comes of each trigger that an event is for."""
    source, tenant = received.event.source, by.matching.tenant
    payload = received.event.data if isinstance(received.event.data, dict) else {}
    if source.startswith(RECORDS):
        change = _change(received.id, received, payload)
        yield from records.consider(received, change, by.rows.get(change.table, ()), by.tables.get(change.table), tenant)
    elif source.startswith(HOOKS):
        yield from hooks.consider_again(received, by.calls, tenant)
    elif source.startswith(MAILS):
        recipients = [one for one in payload.get("recipients", ()) if isinstance(one, str)]
        yield from (domain.consider_alone(received, one, tenant) for one in by.mails.of(recipients))
    elif not source.startswith(SCHEDULES):
        yield from domain.consider(received, by.matching)


def _operations(one: Candidate) -> Sequence[str]:
    return () if one.trigger.rows is None else sorted(one.trigger.rows.operations)


def _change(id_: UUID, received: Received, payload: Mapping[str, Any]) -> Change:
    """The change of a row that an event in the log tells."""
    return Change(
        number=0,
        event=id_,
        at=received.at,
        transaction=str(payload.get("transaction")),
        table=str(payload.get("table")),
        operation=str(payload.get("operation")),
        key=payload.get("key"),
        old=payload.get("old"),
        new=payload.get("new"),
        changed=tuple(payload.get("changed", ())),
        left_out=tuple(payload.get("left_out", ())),
    )
