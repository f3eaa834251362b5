"""What the runner of migrations decides: verdicts from journals, how an answer is taken, when to stop. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final
from uuid import UUID, uuid5

from weft_engine.campaigns import Reading
from weft_engine.core.entries import Row
from weft_engine.core.evolve import fold
from weft_engine.core.verdicts import BLOCKED, Reason, Verdict, Versions, verdict
from weft_engine.store.campaigns import Result
from weft_engine.store.migrations import Judged

FEW: Final = 20
"""Without a canary, an error rate is of so many at least: the first failure alone says little."""
_NOT_BEGUN: Final = Verdict(
    BLOCKED, (Reason("not_begun", None, "the execution has not begun; it can go on by another version once it has"),)
)


@dataclass(frozen=True, slots=True)
class Errors:
    """How a migration fares since it was last told to go on. of: the executions sent, or those it is measured against at least."""

    errors: int
    of: int

    @property
    def rate(self) -> float:
        """Errors by executions, 0..1 and more."""
        return self.errors / self.of if self.of else 0.0


def judged(waiting: Sequence[Any], journals: Mapping[UUID, list[Row]], versions: Versions) -> list[Judged]:
    """The verdict on each item. waiting: rows with number, execution_id."""
    found = []
    for item in waiting:
        state = fold(item.execution_id, journals.get(item.execution_id, ()))
        told = (_NOT_BEGUN if state is None else verdict(state, versions)).to_dict()
        status = "blocked" if told["verdict"] == BLOCKED else "planned"
        found.append(Judged(item.number, status, told["verdict"], told["reasons"], told["warnings"]))
    return found


def canary_size(canary: Mapping[str, Any], fitting: int) -> int:
    """How many go first. canary: `{share}`, `{count}` or `{}`.  fitting: executions that can go at all."""
    wanted = ceil(canary["share"] * fitting) if "share" in canary else int(canary.get("count", 0))
    return min(wanted, fitting)


def answer_id(migration_id: UUID, execution_id: UUID, status: str) -> UUID:
    """Where the partition answers an item. status: `sent` on its way there, `undoing` on its way back."""
    return uuid5(migration_id, f"{status}:{execution_id}")


def read(migration_id: UUID) -> Reading:
    """How the items of a migration are read. One that is taken back and is not answered stays where it has gone."""
    return Reading(
        lambda item: answer_id(migration_id, item.execution_id, item.status),
        _result,
        lambda item: "refused" if item.status == "sent" else "kept",
    )


def _result(item: Any, status: int, body: Mapping[str, Any]) -> Result:
    if status < 400:
        return Result(item.number, "migrated" if item.status == "sent" else "undone")
    code, detail = body.get("code"), body.get("detail")
    if item.status == "undoing":
        return Result(item.number, "kept", code, detail)
    return Result(item.number, "ended" if code == "execution_ended" else "refused", code, detail)


def errors_of(migration: Any, counts: Mapping[str, int]) -> Errors:
    """Refused and failed executions against those sent: of the whole canary at least, or of a few."""
    fitting = counts.get("planned", 0) + sent_of(counts)
    at_least = migration.canary_total or min(fitting, FEW)
    return Errors(wrong(counts) - migration.forgiven, max(sent_of(counts) - migration.forgiven_of, at_least))


def wrong(counts: Mapping[str, int]) -> int:
    """How many were refused, or have failed since they were moved."""
    return counts.get("refused", 0) + counts["failed"]


def sent_of(counts: Mapping[str, int]) -> int:
    """How many have been sent so far."""
    return sum(counts.get(status, 0) for status in ("sent", "migrated", "refused", "ended", "undoing", "undone", "kept"))
