"""What the parts of one generated document share: choices, ids, names, values that the shadow can compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
Document = dict[str, Any]
SHORT = {"activity": "act", "parallel": "par", "foreach": "each", "transform": "map", "compensate": "undo", "http.request": "ask"}


@lru_cache(maxsize=64)
def below(limit: int) -> st.SearchStrategy[int]:
    """Whole numbers from 0, which is what shrinking goes to."""
    return st.integers(0, limit - 1)


@dataclass(frozen=True)
class Place:
    """Where a node is made. beside: runs beside others and has not rested yet.  locals: names of numbers that it may read."""

    depth: int = 0
    beside: bool = False
    locals: tuple[str, ...] = ()
    around: tuple[str, ...] = ()

    def rested(self) -> Place:
        """The same place, after a node that rested."""
        return replace(self, beside=False) if self.beside else self

    def inside(self, node: str, *names: str, beside: bool) -> Place:
        """A graph inside a node made here."""
        locals_ = tuple(dict.fromkeys((*self.locals, *names)))
        return Place(self.depth + 1, beside, locals_, (*self.around, node))


@dataclass
class Maker:
    """Makes the parts of one document.

    choose: gives a number below a limit.  features: what may be used.  budget: nodes left.  children: slugs that may be called.
    """

    choose: Callable[[int], int]
    features: frozenset[str]
    budget: int
    children: tuple[str, ...] = ()
    vars: Document = field(default_factory=lambda: {"a": 0, "b": 5, "o": None})
    steps: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    made: int = 0

    def pick(self, limit: int) -> int:
        """A number below a limit."""
        return self.choose(limit)

    def one_in(self, many: int) -> bool:
        """True about once in so many times; shrinks to false."""
        return self.pick(many) == many - 1

    def one(self, options: Sequence[T]) -> T:
        """One of some options; shrinks to the first."""
        return options[self.pick(len(options))] if len(options) > 1 else options[0]

    def fresh(self, kind: str) -> str:
        """The id of a new node."""
        self.made += 1
        self.budget -= 1
        return f"{SHORT.get(kind, kind)}{self.made}"

    def counter(self) -> str:
        """A variable of its own for a cycle, which begins at 0."""
        name = f"k{self.made}"
        self.vars[name] = 0
        return name

    def duration(self) -> str:
        """A duration unlike those of other nodes, so that two alarms seldom ring at once."""
        self.made += 1
        return f"{13 + 37 * self.made + self.made * self.made}s"

    def number(self, place: Place) -> str:
        """An expression that gives a whole number."""
        safe = ["1", "input.n", *place.locals]
        return self.one(safe if place.beside else [*safe, "vars.a", "vars.b", "vars.a + 1"])

    def condition(self, place: Place) -> str:
        """An expression that gives a boolean."""
        return f"{self.number(place)} {self.one(('<', '>=', '=='))} {self.pick(4)}"

    def value(self, place: Place) -> Any:
        """A value, most often a template."""
        if place.beside or not self.steps or self.pick(3):
            return self.one((self.pick(5), f"{{{{ {self.number(place)} }}}}", f"n is {{{{ {self.number(place)} }}}}"))
        return self.one((f"{{{{ default(step.{self.one(self.steps)}.output, null) }}}}", "{{ vars.o }}"))
