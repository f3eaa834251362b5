"""What the audit is told of sources, of what counts of their tables, and of schedules. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from weft_contracts.audit import RecordAudit

from weft_events.records import Source, TableEvents
from weft_events.scheduling import Schedule


def source_saved(was: Source | None, made: Source) -> RecordAudit:
    """A source was made, or changed."""
    return _source("created" if was is None else "changed", made, was, made)


def source_installed(was: Source, made: Source) -> RecordAudit:
    """Capture of a source's tables was put in place in its database."""
    before, after = ([one.document() for one in each.installed or ()] for each in (was, made))
    about = {"before": {"installed": before}, "after": {"installed": after}, "details": {"name": made.name}}
    return RecordAudit(action="source.installed", resource_type="source_capture", resource_id=str(made.id), **about)


def source_removed(was: Source) -> RecordAudit:
    """A source is gone."""
    return _source("removed", was, was, None)


def table_events(was: TableEvents | None, made: TableEvents | None, name: str) -> RecordAudit:
    """What counts of a table's changes was said anew, or is not said any more."""
    before, after = (None if one is None else _table(one) for one in (was, made))
    return RecordAudit(
        action=f"table_events.{_verb(was, made)}", resource_type="table_events", resource_id=name, before=before, after=after
    )


def schedule_held(was: Schedule, made: Schedule) -> RecordAudit:
    """A schedule was paused, or goes on."""
    before, after = ({"paused": one.paused_at is not None} for one in (was, made))
    action = "resumed" if made.paused_at is None else "paused"
    return _schedule(action, made, before=before, after=after)


def backfilled(one: Schedule, first: datetime, last: datetime, started: int) -> RecordAudit:
    """A schedule started by hand what it would have. started: executions that follow."""
    return _schedule("backfilled", one, details={"from": first.isoformat(), "to": last.isoformat(), "started": started})


def _source(action: str, one: Source, was: Source | None, made: Source | None) -> RecordAudit:
    before, after = (None if each is None else _shown(each) for each in (was, made))
    return RecordAudit(action=f"source.{action}", resource_type="source", resource_id=str(one.id), before=before, after=after)


def _shown(one: Source) -> dict[str, Any]:
    tables = [table.document() for table in one.tables]
    return {"name": one.name, "kind": one.kind, "connection": one.connection, "tables": tables, "wake": one.wake, "version": one.version}


def _table(one: TableEvents) -> dict[str, Any]:
    names = ("enabled", "operations", "fields", "conditions", "workflows", "version")
    return {name: getattr(one, name) for name in names}


def _schedule(action: str, one: Schedule, **told: Any) -> RecordAudit:
    details = {"workflow": one.workflow, "trigger": one.trigger, **told.pop("details", {})}
    return RecordAudit(action=f"schedule.{action}", resource_type="schedule", resource_id=str(one.id), details=details, **told)


def _verb(was: object, made: object) -> str:
    if made is None:
        return "removed"
    return "created" if was is None else "changed"
