"""The gates as the world has them: the shadow's gatekeeper and the engine's look at the same moment and must come to the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from uuid import UUID

from weft_engine import domain
from weft_engine.core import items as i

from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.shadow.gates import Gatekeeper, Verdict, gate_of

SAID: Final = {"admit": "is let in", "skip": "is skipped", "cancel": "has to go"}
ITEMS: Final[dict[str, Callable[[UUID], Any]]] = {"admit": i.Admit, "skip": lambda id_: i.Skip(id_, UUID(int=0)), "cancel": i.Cancel}


@dataclass
class Admitting:
    """now: of the world.  keeper: the shadow's."""

    now: Callable[[], int]
    keeper: Gatekeeper = field(default_factory=Gatekeeper)

    def note(self, pair: Pair) -> None:
        """An execution may have come to its gate, or have ended."""
        known = {**self.keeper.inside, **self.keeper.outside}
        if pair.shadow.ended:
            self.keeper.leave(pair.id)
        elif pair.shadow.status == "queued" and pair.id not in known:
            gate = gate_of(pair.shadow.document, pair.shadow.walk.input)
            assert gate is not None, "it waits at a gate that there is not"
            self.keeper.outside[pair.id] = (gate,)

    def decides(self, on_its_way: Iterable[Mail]) -> bool:
        """Whether a look now would come to anything that is not on its way."""
        found = Gatekeeper(dict(self.keeper.outside), dict(self.keeper.inside)).look()
        said = [(mail.to, mail.say) for mail in on_its_way]
        return any((verdict.id, SAID[verdict.verb]) not in said for verdict in found)

    def look(self, pairs: Mapping[UUID, Pair]) -> Iterator[Mail]:
        """Both look; each verdict is on its way to whom it is about."""
        engine = self._engine(pairs)
        verdicts = self.keeper.look()
        self.keeper.check()
        assert engine is None or sorted(engine) == sorted(verdicts), f"the gatekeeper should decide {verdicts}, got {engine}"
        for verdict in verdicts:
            yield Mail(verdict.id, SAID[verdict.verb], partial(self._tell, verdict=verdict), ITEMS[verdict.verb](verdict.id))

    def _tell(self, pair: Pair, *, verdict: Verdict) -> None:
        getattr(pair.shadow, verdict.verb)(self.now())

    def _engine(self, pairs: Mapping[UUID, Pair]) -> list[Verdict] | None:
        """What the engine decides; None where the shadow is alone."""
        gates: dict[UUID, tuple[domain.Gate, ...]] = {}
        for id_ in (*self.keeper.inside, *self.keeper.outside):
            cored = pairs[id_].cored
            if cored is None:
                return None
            gates[id_] = tuple(domain.Gate(gate["name"], gate["limit"], gate["on_conflict"]) for gate in cored.gates)
        behind: dict[str, list[UUID]] = {}
        for id_ in self.keeper.inside:
            for gate in gates[id_]:
                behind.setdefault(gate.name, []).append(id_)
        found = domain.admit([domain.Waiting(id_, gates[id_]) for id_ in self.keeper.outside], behind)
        verbs = {"admit": found.admitted, "skip": [id_ for id_, _ in found.skipped], "cancel": found.cancelled}
        return [Verdict(verb, id_) for verb, ids in verbs.items() for id_ in ids]
