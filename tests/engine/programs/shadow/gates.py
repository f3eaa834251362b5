"""Gates: how many executions of a workflow live at once (`settings.concurrency`), and who of those that wait begins.

A workflow that is suspended is a gate, too: one that lets nobody in until it is lifted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from tests.engine.programs.shadow.expressions import render
from tests.engine.programs.shadow.frames import Document


@dataclass(frozen=True)
class Gate:
    """name: of workflow and rendered key, so that equal keys stand at one gate.  limit: how many may live behind it."""

    name: str
    limit: int
    on_conflict: str = "queue"


def gate_of(document: Document, input_: Mapping[str, Any]) -> Gate | None:
    """The gate that a workflow puts before an execution with this input, None where it puts none."""
    rule = document.get("settings", {}).get("concurrency")
    if rule is None:
        return None
    key = render(rule["key"], {"input": input_}) if "key" in rule else ""
    return Gate(f"{document['slug']}:{key}", rule["limit"], rule.get("on_conflict", "queue"))


class Verdict(NamedTuple):
    """What a look at the gates comes to for one execution. verb: `admit`, `skip`, `cancel`."""

    verb: str
    id: UUID


@dataclass
class Gatekeeper:
    """outside: who waits, in the order in which they came.  inside: who has been let in and has not ended, likewise."""

    outside: dict[UUID, tuple[Gate, ...]] = field(default_factory=dict)
    inside: dict[UUID, tuple[Gate, ...]] = field(default_factory=dict)

    def leave(self, id_: UUID) -> None:
        """An execution has ended."""
        self.outside.pop(id_, None)
        self.inside.pop(id_, None)

    def behind(self, gate: Gate) -> list[UUID]:
        """Who lives behind a gate, the oldest first."""
        return [id_ for id_, gates in self.inside.items() if gate.name in (one.name for one in gates)]

    def look(self) -> list[Verdict]:
        """Let in whom all gates have room for. Where there is none, `skip` gives the newcomer up, `cancel_running` the oldest inside.

        Who waits holds up nobody behind other gates. Looking again before anybody has heard of it comes to the same.
        """
        verdicts: list[Verdict] = []
        for id_, gates in list(self.outside.items()):
            full = next((gate for gate in gates if len(self.behind(gate)) >= gate.limit), None)
            if full is None:
                self.inside[id_] = self.outside.pop(id_)
                verdicts.append(Verdict("admit", id_))
            elif full.on_conflict == "skip":
                verdicts.append(Verdict("skip", id_))
            elif full.on_conflict == "cancel_running":
                inside = self.behind(full)
                going = inside[: len(inside) - full.limit + 1]
                verdicts += [Verdict("cancel", one) for one in going if Verdict("cancel", one) not in verdicts]
        return verdicts

    def check(self) -> None:
        """Raises: AssertionError when more live behind a gate than it lets in."""
        for gates in self.inside.values():
            for gate in gates:
                assert len(self.behind(gate)) <= gate.limit, f"more than {gate.limit} live behind {gate.name}"
