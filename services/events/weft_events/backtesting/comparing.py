"""Two versions beside each other, event by event. Pure: what was looked at is added up, and what is shown of it is bounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from weft_language.difference import same

from weft_events import domain
from weft_events.domain import Candidate, Considered, Logged, Received

MAX_DIFFERING: Final = 200
"""Events shown of which the versions make something else, with what their conditions evaluated to."""
MAX_ALIKE: Final = 200
"""Events shown that both would have started."""


@dataclass(slots=True)
class Comparison:
    """What was found so far. counts: events by what came of them."""

    looked_at: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("added", "removed", "changed", "same", "neither"), 0))
    differing: list[dict[str, Any]] = field(default_factory=list)
    alike: list[dict[str, Any]] = field(default_factory=list)
    newest: datetime | None = None

    def add(self, logged: Logged, received: Received, new: Seen, live: Seen) -> None:
        """Take in what both versions make of an event."""
        kind = _kind(new.started, live.started)
        self.looked_at += 1
        self.counts[kind] += 1
        self.newest = logged.received_at
        if kind in ("added", "removed", "changed") and len(self.differing) < MAX_DIFFERING:
            self.differing.append(_told(logged, received, kind, new, live, trees=True))
        elif kind == "same" and len(self.alike) < MAX_ALIKE:
            self.alike.append(_told(logged, received, kind, new, live, trees=False))


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a version's triggers for an event. candidates: the compiled triggers.  tenant: what expressions read of it."""

    considered: Sequence[Considered]
    candidates: Mapping[str, Candidate]
    tenant: Mapping[str, Any]

    @property
    def started(self) -> list[tuple[Any, str | None]]:
        """Input and key of each start."""
        return [(one.start.input, one.start.key) for one in self.considered if one.start is not None]


def result_of(found: Comparison, left_out: Sequence[Candidate], live_version: int | None, cut: dict[str, Any] | None) -> dict[str, Any]:
    """What is answered. left_out: triggers that are not tried.  cut: why not everything was looked at, None where all was."""
    counts = found.counts
    return {
        "events": found.looked_at,
        "would_start": counts["added"] + counts["changed"] + counts["same"],
        "live_would_start": None if live_version is None else counts["removed"] + counts["changed"] + counts["same"],
        **{name: counts[name] for name in ("added", "removed", "changed", "same")},
        "differences": found.differing,
        "differences_left_out": counts["added"] + counts["removed"] + counts["changed"] - len(found.differing),
        "alike": found.alike,
        "alike_left_out": counts["same"] - len(found.alike),
        "not_tried": [{"trigger": one.trigger.id, "on": one.trigger.on, "reason": _NOT_TRIED} for one in left_out],
        "complete": cut is None,
        "cut": cut,
    }


_NOT_TRIED: Final = "moments of a schedule are not in the log before it is active; GET /api/v1/schedules/{id}/next tells when it is due"


def _kind(new: Sequence[tuple[Any, str | None]], live: Sequence[tuple[Any, str | None]]) -> str:
    if not new and not live:
        return "neither"
    if not live:
        return "added"
    if not new:
        return "removed"
    return "same" if same([list(one) for one in new], [list(one) for one in live]) else "changed"


def _told(logged: Logged, received: Received, kind: str, new: Seen, live: Seen, *, trees: bool) -> dict[str, Any]:
    return {
        "id": str(logged.id),
        "event_id": logged.event_id,
        "type": logged.type,
        "source": logged.source,
        "subject": logged.subject,
        "received_at": logged.received_at.isoformat(),
        "difference": kind,
        "version": [_look(one, received, new, trees=trees) for one in new.considered],
        "live": [_look(one, received, live, trees=trees) for one in live.considered],
    }


def _look(one: Considered, received: Received, seen: Seen, *, trees: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"trigger": one.trigger, "matched": one.matched, "reason": one.reason, "detail": one.detail}
    if one.start is not None:
        told["key"] = one.start.key
    when = seen.candidates[one.trigger].trigger.when if one.trigger in seen.candidates else None
    if trees and when is not None and one.reason in ("matched", "condition", "error"):
        told["condition"] = when.explain(domain.names_of(received, seen.tenant)).to_dict()
    return told
