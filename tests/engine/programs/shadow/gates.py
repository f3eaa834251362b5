"""Gates: how many executions of a workflow live at once (`settings.concurrency`), and who of those that wait begins.

A workflow or tenant that is suspended is a gate, too: one that lets nobody in until it is lifted. So are the tenant's quotas: how many of
its executions live at once, how many begin in a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from tests.engine.programs.shadow.around import Around, Bucket
from tests.engine.programs.shadow.expressions import render
from tests.engine.programs.shadow.frames import Document

LIVE: Final = "tenant"
STARTS: Final = "starts"
SUSPENDED: Final = "suspended:"


@dataclass(frozen=True)
class Gate:
    """name: of workflow and rendered key, so that equal keys stand at one gate.  limit: how many may live behind it."""

    name: str
    limit: int
    on_conflict: str = "queue"


def gates_of(document: Document, input_: Mapping[str, Any], around: Around, *, waited_for: bool) -> tuple[Gate, ...]:
    """The gates before an execution with this input. waited_for: its caller lives and waits for it, so it needs no place of its own."""
    slug = document["slug"]
    gates = [Gate(around.held_up[by], 0) for by in ("tenant", f"workflow:{slug}") if by in around.held_up]
    rule = document.get("settings", {}).get("concurrency")
    if rule is not None:
        key = render(rule["key"], {"input": input_}) if "key" in rule else ""
        gates.append(Gate(f"{slug}:{key}", rule["limit"], rule.get("on_conflict", "queue")))
    if around.live is not None and not waited_for:
        gates.append(Gate(LIVE, around.live))
    if around.per_s and not waited_for:
        gates.append(Gate(STARTS, 0))
    return tuple(gates)


class Verdict(NamedTuple):
    """What a look at the gates comes to for one execution. verb: `admit`, `skip`, `cancel`."""

    verb: str
    id: UUID


@dataclass
class Gatekeeper:
    """outside: who waits, in the order in which they came.  inside: who has been let in and has not ended, likewise.

    around: what holds for those who wait is what the tenant's quotas are now.  closed: gates of what is suspended now.
    """

    around: Around = field(default_factory=Around)
    outside: dict[UUID, tuple[Gate, ...]] = field(default_factory=dict)
    inside: dict[UUID, tuple[Gate, ...]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    bucket: Bucket = field(init=False)

    def __post_init__(self) -> None:
        """What is left of the rate of starts: all of it."""
        self.bucket = Bucket(self.around)

    def leave(self, id_: UUID) -> None:
        """An execution has ended."""
        self.outside.pop(id_, None)
        self.inside.pop(id_, None)

    def behind(self, gate: Gate) -> list[UUID]:
        """Who lives behind a gate, the oldest first."""
        return [id_ for id_, gates in self.inside.items() if gate.name in (one.name for one in gates)]

    def look(self, now: int) -> list[Verdict]:
        """Let in whom all gates have room for. Where there is none, `skip` gives the newcomer up, `cancel_running` the oldest inside.

        Who waits holds up nobody behind other gates. Looking again before anybody has heard of it comes to the same.
        """
        verdicts: list[Verdict] = []
        for id_, gates in list(self.outside.items()):
            full = next((gate for gate in gates if self._is_full(gate, now)), None)
            if full is None:
                self.inside[id_] = self.outside.pop(id_)
                verdicts.append(Verdict("admit", id_))
                if STARTS in (gate.name for gate in gates):
                    self.bucket.spend(1, now)
            elif full.on_conflict == "skip":
                verdicts.append(Verdict("skip", id_))
            elif full.on_conflict == "cancel_running":
                inside = self.behind(full)
                going = inside[: len(inside) - full.limit + 1]
                verdicts += [Verdict("cancel", one) for one in going if Verdict("cancel", one) not in verdicts]
        return verdicts

    def _is_full(self, gate: Gate, now: int) -> bool:
        if gate.name == STARTS:
            return self.bucket.room(now) < 1
        if gate.name.startswith(SUSPENDED):
            return gate.name in self.closed
        return len(self.behind(gate)) >= self.limit(gate)

    def limit(self, gate: Gate) -> int:
        """How many may live behind a gate now."""
        return self.around.live or 0 if gate.name == LIVE else gate.limit

    def check(self) -> None:
        """Raises: AssertionError when more live behind a gate than it lets in. What a quota was is no bound for who was let in then."""
        for gates in self.inside.values():
            for gate in gates:
                bounded = gate.name not in (LIVE, STARTS) and not gate.name.startswith(SUSPENDED)
                assert not bounded or len(self.behind(gate)) <= gate.limit, f"more than {gate.limit} live behind {gate.name}"
