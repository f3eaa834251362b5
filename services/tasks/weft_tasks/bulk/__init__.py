"""One verb on many tasks: what it needs, and what became of each. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from weft_runtime.errors import Detail, WeftError

from weft_tasks.errors import BadChoice
from weft_tasks.task import Task

MOST: Final = 100
"""Tasks of one request: they are one transaction, and others wait meanwhile for those that it changes."""
FORMS_BYTES: Final = 8 * 1024 * 1024
"""What one form takes in all the tasks that it decides, as JSON: each keeps it, and each execution is told it."""
Verb = Literal["claim", "release", "complete", "reassign", "delegate", "snooze", "comment"]
_TAKES: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "claim": (frozenset(), frozenset()),
    "release": (frozenset(), frozenset()),
    "complete": (frozenset(), frozenset({"outcome", "form"})),
    "reassign": (frozenset({"assignee"}), frozenset()),
    "delegate": (frozenset({"assignee"}), frozenset()),
    "snooze": (frozenset({"until"}), frozenset()),
    "comment": (frozenset({"text"}), frozenset()),
}
"""What each verb needs, and what else it takes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one task. task: as it is now, None where it was refused; refusal: why it was."""

    id: UUID
    task: Task | None = None
    refusal: WeftError | None = None


def require_options(verb: Verb, given: dict[str, Any]) -> None:
    """Refuse options that the verb does not take, or that lack what it needs. given: those that were sent. Raises: BadChoice."""
    needs, takes = _TAKES[verb]
    missing = needs - given.keys()
    if verb in ("delegate", "comment"):
        missing |= {name for name in needs if given.get(name) is None}
    wrong = [(name, f"{verb} needs it") for name in sorted(missing)]
    wrong += [(name, f"{verb} does not take it") for name in sorted(given.keys() - needs - takes)]
    if wrong:
        details = [Detail(f"/options/{name}", BadChoice.code, why) for name, why in wrong]
        raise BadChoice(f"the options are not those of {verb}; `errors` says where", details=details)


def require_room(form: Any, many: int) -> None:
    """Refuse a form that would take too much, kept as many times. Raises: BadChoice."""
    size = len(json.dumps(form)) * many
    if size > FORMS_BYTES:
        wrong = f"in {many} tasks it takes {size} bytes, and there is room for {FORMS_BYTES}; choose fewer tasks, or write less"
        raise BadChoice(f"the form is too large: {wrong}", details=[Detail("/options/form", "too_large", wrong)])


def require_one_choice(ids: Collection[UUID] | None, has_filter: bool) -> None:
    """Refuse what names tasks in no way, or in two. Raises: BadChoice."""
    if (ids is None) is not has_filter:
        wrong = "name the tasks by `ids` or by `filter`, one of the two"
        raise BadChoice(wrong, details=[Detail("/ids", BadChoice.code, wrong), Detail("/filter", BadChoice.code, wrong)])
