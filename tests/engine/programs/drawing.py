"""Programs drawn by numbers instead of by hypothesis: as many as there is time for, each played again by its number alone.

A program is the choices that it was made of and the script of what happens. Whatever is left out of either is 0, so one that fails is
made smaller by leaving out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tests.engine.programs.generating.scenarios import EVERYTHING, Scenario, crowd, early, operated, scenario
from tests.engine.programs.generating.undoing import undone

Choose = Callable[[int], int]
KINDS: Final[dict[str, Callable[[Choose, bytes], Scenario]]] = {
    "everything": lambda choose, script: scenario(choose, EVERYTHING, 12, script),
    "suspended": operated,
    "crowd": crowd,
    "undone": undone,
    "early": early,
}
LIKELY: Final = (4, 1, 1, 1, 1)
"""How often there is one of each kind."""
BLOCKS: Final = (32, 8, 2, 1)


@dataclass(frozen=True)
class Drawn:
    """kind: of `KINDS`.  choices: what it is made of, each taken modulo the number of what there is to choose from; 0 where they are over.

    script: as of `Scenario`.  restart: whether all memory is dropped before each item.
    """

    kind: str
    choices: tuple[int, ...]
    script: bytes
    restart: bool = False

    def scenario(self) -> Scenario:
        """The program with what happens."""
        choices = iter(self.choices)
        return KINDS[self.kind](lambda limit: next(choices, 0) % limit, self.script)


def drawn(seed: int, number: int) -> Drawn:
    """The program of a number; the same ones make the same."""
    rng = random.Random(f"{seed} {number}")
    kind = rng.choices([*KINDS], LIKELY)[0]
    script, restart = rng.randbytes(rng.randint(40, 160)), rng.random() < 0.25
    made: list[int] = []

    def choose(limit: int) -> int:
        made.append(rng.randrange(limit))
        return made[-1]

    KINDS[kind](choose, script)
    return Drawn(kind, tuple(made), script, restart)


def shrunk(one: Drawn, fails: Callable[[Drawn], bool], within_s: float) -> Drawn:
    """A smaller one that fails, too: blocks of its script and choices are left out or made 0 as long as it does. fails: plays one."""
    deadline = time.monotonic() + within_s
    before: Drawn | None = None
    while one != before and time.monotonic() < deadline:
        before = one
        for name in ("script", "choices"):
            for size in BLOCKS:
                one = _without(one, name, size, fails, deadline)
    return one


def _without(one: Drawn, name: str, size: int, fails: Callable[[Drawn], bool], deadline: float) -> Drawn:
    at = 0
    while at < len(values := getattr(one, name)) and time.monotonic() < deadline:
        fewer = (values[:at] + more + values[at + size :] for more in (values[:0], type(values)([0] * len(values[at : at + size]))))
        tried = (replace(one, **{name: left}) for left in fewer)
        smaller = next((candidate for candidate in tried if candidate != one and fails(candidate)), None)
        if smaller is None:
            at += size
        else:
            one = smaller
    return one
