"""When several decisions are one: which outcome stands, and from when on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from weft_contracts.tasks import Approvals


def standing(approvals: Approvals, outcomes: Sequence[str], chosen: Sequence[str]) -> str | None:
    """The outcome that stands, None while the task is still to be decided.

    The first of `outcomes` is the one that needs the approvals: it stands when `required` decisions chose it. As soon as it cannot be
    reached any more, because more than `of - required` chose another, the most chosen of the others stands; of equals the later listed.
    chosen: the outcomes of the decisions so far.
    """
    counted = Counter(chosen)
    wanted = counted[outcomes[0]]
    if wanted >= approvals.required:
        return outcomes[0]
    if len(chosen) - wanted <= whole(approvals) - approvals.required:
        return None
    return max(enumerate(outcomes[1:]), key=lambda place_and_name: (counted[place_and_name[1]], place_and_name[0]))[1]


def whole(approvals: Approvals) -> int:
    """How many decisions there are at most. `of` that is absent, or smaller than what is required, is what is required."""
    return max(approvals.of or 0, approvals.required)
