"""For which triggers a change of a row is: found by its table, then operation, changed fields and conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from weft_language.compilation import Rows, unfit

from weft_events.domain import Candidate, Considered, Received, consider_alone
from weft_events.records.changes import Change
from weft_events.records.watching import TableEvents


def by_table(candidates: Iterable[Candidate]) -> dict[str, tuple[Candidate, ...]]:
    """The triggers on changes of rows, in the order they are to be considered."""
    found: dict[str, list[Candidate]] = {}
    for one in sorted(candidates, key=lambda one: (one.trigger.priority, one.workflow, one.place)):
        if one.trigger.rows is not None:
            found.setdefault(one.trigger.rows.table, []).append(one)
    return {table: tuple(several) for table, several in found.items()}


def consider(
    received: Received, change: Change, found: Sequence[Candidate], settings: TableEvents | None, tenant: Mapping[str, object]
) -> Iterator[Considered]:
    """What comes of each trigger of a table for a change of it. tenant: what expressions read of it, `tenant_names`."""
    for one in found:
        rows = one.trigger.rows
        why = None if rows is None or not one.trigger.enabled else _not_for(one, rows, change, settings)
        if rows is not None:
            yield (
                consider_alone(received, one, tenant) if why is None else Considered(one.workflow, one.version, one.trigger.id, False, *why)
            )


def _not_for(one: Candidate, rows: Rows, change: Change, settings: TableEvents | None) -> tuple[str, str] | None:
    """Why a change is not for a trigger, as reason and detail; None where it is."""
    if settings is not None and settings.workflows is not None and one.workflow not in settings.workflows:
        return "workflow", f"the settings of the table {change.table} name other workflows"
    verdict = unfit(rows, change.operation, change.changed)
    return None if verdict is None else (verdict.reason, verdict.detail or "")
