"""The gates as the world has them: the shadow's gatekeeper and the engine's look at the same moment and must come to the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from weft_engine import domain
from weft_engine.core import items as i
from weft_engine.core.quotas import STARTS_GATE, quotas_of

from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.shadow.gates import STARTS, Gatekeeper, Verdict
from tests.engine.programs.times import moment

SAID: Final = {"admit": "begins", "skip": "is skipped", "cancel": "has to go"}
ITEMS: Final[dict[str, Callable[[UUID], Any]]] = {"admit": i.Admit, "skip": lambda id_: i.Skip(id_, UUID(int=0)), "cancel": i.Cancel}


@dataclass
class Admitting:
    """now: of the world.  keeper: the shadow's.  settings: of the tenant, as the engine has them.  spent_until: of its rate of starts."""

    now: Callable[[], int]
    keeper: Gatekeeper
    settings: Callable[[], Mapping[str, Any]]
    spent_until: datetime | None = field(default=None)

    def note(self, pair: Pair) -> None:
        """An execution may have come to its gates, or have ended."""
        known = {**self.keeper.inside, **self.keeper.outside}
        if pair.shadow.ended:
            self.keeper.leave(pair.id)
        elif pair.shadow.gates and pair.id not in known:
            self.keeper.outside[pair.id] = pair.shadow.gates

    def decides(self, on_its_way: Iterable[Mail]) -> bool:
        """Whether a look now would come to anything that is not on its way."""
        found = self._trial().look(self.now())
        said = [(mail.to, mail.say) for mail in on_its_way]
        return any((verdict.id, SAID[verdict.verb]) not in said for verdict in found)

    def next_at(self) -> int | None:
        """When the rate of starts lets the next one begin; None where nobody waits for that."""
        waits = any(gate.name == STARTS for gates in self.keeper.outside.values() for gate in gates)
        at = self.keeper.bucket.next_at(self.now()) if waits else self.now()
        return at if at > self.now() else None

    def _trial(self) -> Gatekeeper:
        trial = copy.copy(self.keeper)
        trial.inside, trial.outside, trial.bucket = dict(trial.inside), dict(trial.outside), copy.copy(trial.bucket)
        return trial

    def look(self, pairs: Mapping[UUID, Pair]) -> Iterator[Mail]:
        """Both look; each verdict is on its way to whom it is about."""
        engine = self._engine(pairs)
        verdicts = self.keeper.look(self.now())
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
                if gate.name != STARTS_GATE:
                    behind.setdefault(gate.name, []).append(id_)
        quotas, now = quotas_of(self.settings()), moment(self.now())
        room = domain.UNBOUNDED if quotas.starts is None else quotas.starts.room(self.spent_until, now)
        lifted = {gate.name for at in gates.values() for gate in at if gate.capacity == 0} - self.keeper.closed - {STARTS_GATE}
        waiting = [domain.of_today(domain.Waiting(id_, gates[id_]), quotas, room, lifted) for id_ in self.keeper.outside]
        found = domain.admit(waiting, behind)
        begun = [id_ for id_ in found.admitted if any(gate.name == STARTS_GATE for gate in gates[id_])]
        if quotas.starts is not None and begun:
            self.spent_until = quotas.starts.spend(self.spent_until, now, len(begun))
        verbs = {"admit": found.admitted, "skip": [id_ for id_, _ in found.skipped], "cancel": found.cancelled}
        return [Verdict(verb, id_) for verb, ids in verbs.items() for id_ in ids]
