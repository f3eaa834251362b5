"""Types of nodes that are held up: nobody enters a node of one until that is lifted, and who waits there is let in then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from weft_engine.core import items as i

from tests.engine.programs.driving.parts import Mail, Pair


@dataclass
class HoldingUp:
    """now: of the world.  types: held up now, each with the name of its gate, which is another each time."""

    now: Callable[[], int]
    types: dict[str, str] = field(default_factory=dict)
    begun: int = 0

    def hold_up(self, type_: str) -> None:
        """Nobody enters a node of a type any more."""
        self.begun += 1
        self.types[type_] = f"suspended:{self.begun}"

    def lift(self, type_: str, pairs: Iterable[Pair]) -> Iterator[Mail]:
        """Who waits at this gate and at no other is let in."""
        gate = self.types.pop(type_)
        for pair in pairs:
            waits = {wait.about["type"] for wait in pair.shadow.waits("gate")}
            if type_ in waits and not waits & self.types.keys():
                yield Mail(pair.id, "is let in", lambda to: to.shadow.admit(self.now()), i.Admit(pair.id, [gate]))

    def tell(self, pair: Pair) -> None:
        """What an execution knows of it as something happens to it."""
        pair.shadow.walk.held_up = set(self.types)
        if pair.cored is not None:
            pair.cored.suspended = {f"node_type:{type_}": gate for type_, gate in self.types.items()}
