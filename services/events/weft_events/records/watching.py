"""What counts of a table's changes, and for which workflows: the settings that its tenant gives it. Pure; the time is an argument.

A table without settings needs none: every change counts, for every workflow with a `record` trigger on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from weft_language.expressions import ExpressionError, compile_conditions

from weft_events.errors import TableEventsMoved
from weft_events.records.changes import Change

OPERATIONS: Final = ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class TableEvents:
    """The settings of a table.

    name: as triggers call it.  enabled: whether anything counts.  operations: those that do.  fields: an update counts when one of these
    changed; any will do where there are none.  conditions: as data, over `trigger`, that a change has to meet; None for none.
    workflows: slugs of those whose triggers are considered; all where it is None.  version: counts the changes of it.
    """

    name: str
    enabled: bool = True
    operations: tuple[str, ...] = OPERATIONS
    fields: tuple[str, ...] = ()
    conditions: Any = None
    workflows: tuple[str, ...] | None = None
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None

    def counts(self, change: Change, names: Mapping[str, Any]) -> bool:
        """Whether a change counts. names: what expressions read of it.

        Conditions that cannot be evaluated for a change do not hold it back: what is lost so would be lost silently.
        """
        if not self.enabled or change.operation not in self.operations:
            return False
        if change.operation == "update" and self.fields and not set(self.fields) & set(change.changed):
            return False
        if self.conditions is None:
            return True
        try:
            return compile_conditions(self.conditions).evaluate(names) is not False
        except ExpressionError:
            return True


def written(was: TableEvents | None, asked: TableEvents, etag: str | None, now: datetime, by: str | None) -> TableEvents:
    """The settings as they are asked for; the same ones where nothing differs. etag: of those that were read, None for any.

    Raises: TableEventsMoved.
    """
    check_unmoved(was, asked.name, etag)
    if was is None:
        return replace(asked, version=1, created_at=now, updated_at=now, updated_by=by)
    made = replace(asked, version=was.version, created_at=was.created_at, updated_at=was.updated_at, updated_by=was.updated_by)
    return was if made == was else replace(made, version=was.version + 1, updated_at=now, updated_by=by)


def check_unmoved(was: TableEvents | None, name: str, etag: str | None) -> None:
    """Refuse a change of other settings than those that were read. Raises: TableEventsMoved."""
    version = 0 if was is None else was.version
    if etag is not None and etag != str(version):
        raise TableEventsMoved(name, etag, version)
