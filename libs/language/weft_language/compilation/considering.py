"""What comes of one trigger for something that arrived: the one rule for who starts executions and for who only tells what would start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft_language.compilation.following import holds
from weft_language.compilation.triggers import Trigger, glob_matches
from weft_language.expressions import ExpressionError


@dataclass(frozen=True, slots=True)
class Verdict:
    """reason: `matched`, `disabled`, `source`, `condition` or `error`.  detail: on it, None where it matched.

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
