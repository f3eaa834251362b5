"""What comes of one trigger for something that arrived: the one rule for who starts executions and for who only tells what would start."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from weft_language.compilation.following import holds
from weft_language.compilation.triggers import Rows, Trigger, glob_matches
from weft_language.expressions import ExpressionError

MAX_DETAIL: Final = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """reason: `matched`, `disabled`, `source`, `condition` or `error`; of changes of rows also `operation` or `changed`.

    detail: on it, None where it matched.

    input, key: of the execution that it starts, where it matched.
    """

    reason: str
    detail: str | None = None
    input: dict[str, Any] = field(default_factory=dict)
    key: str | None = None

    @property
    def matched(self) -> bool:
        """Whether an execution starts."""
        return self.reason == "matched"


def consider(trigger: Trigger, source: str, names: Mapping[str, Any]) -> Verdict:
    """The verdict on an event that is of a kind the trigger is for. source: of the event.  names: what the trigger's expressions read."""
    if not trigger.enabled:
        return Verdict("disabled", "the trigger is switched off (`enabled: false`)")
    if trigger.source is not None and not glob_matches(trigger.source, source):
        return Verdict("source", f"the trigger is for the source {trigger.source!r}, the event came from {source!r}")
    try:
        if trigger.when is not None and not holds(trigger.when, names):
            return Verdict("condition", "its condition is false")
        # Without a map of its own the event's data is the input, where that is an object.
        value = names["trigger"]["payload"] if trigger.input is None else trigger.input.render(names)
        return Verdict("matched", None, value if isinstance(value, dict) else {}, trigger.key_of(names))
    except ExpressionError as error:
        return Verdict("error", str(error))


def unfit(rows: Rows, operation: str, changed: Collection[str]) -> Verdict | None:
    """Why a change of a row of its table is not for a trigger, None where it is. changed: names of fields that differ."""
    if operation not in rows.operations:
        return Verdict("operation", f"the trigger is for {', '.join(sorted(rows.operations))}, and this was a {operation}"[:MAX_DETAIL])
    if rows.changed and rows.changed.isdisjoint(changed):
        return Verdict("changed", f"none of {', '.join(sorted(rows.changed))} changed"[:MAX_DETAIL])
    return None
