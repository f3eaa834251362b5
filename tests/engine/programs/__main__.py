"""`python -m tests.engine.programs --minutes 5`: random programs against the shadow model, as many as there is time for.

What fails is shown with its seed and number, by which it is played again, and made smaller. Exits with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import itertools
import json
import secrets
import sys
import time
from collections import Counter

from tests.engine.programs.drawing import Drawn, drawn, shrunk
from tests.engine.programs.driving.playing import play
from tests.engine.programs.driving.world import World

WRONG = (AssertionError, LookupError, ValueError, TypeError)
SHRINKING_S = 60.0


def played(one: Drawn) -> World:
    """The world after everything has happened to it. Raises: what is wrong, with all that happened before."""
    return play(World.of(one.scenario(), restart=one.restart))


def _fails(one: Drawn) -> bool:
    try:
        played(one)
    except WRONG:
        return True
    return False


def _tell(one: Drawn, seed: int, number: int) -> None:
    """Show what is left of one that failed, and how."""
    small = shrunk(one, _fails, SHRINKING_S)
    print(f"\nseed {seed}, program {number} (--seed {seed} --first {number} --programs 1), made smaller:\n{small.scenario()}")
    print("all memory is dropped before each item" if small.restart else "memory is kept")
    try:
        played(small)
    except WRONG as error:
        print("\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]), flush=True)


def main() -> int:
    """Returns: what to exit with."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.programs", description=__doc__)
    parser.add_argument("--programs", type=int, default=None, help="how many, at most")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--seed", type=int, default=None, help="of the programs; one at random when left out")
    parser.add_argument("--first", type=int, default=1, help="number of the first program (1)")
    asked = parser.parse_args()
    seed = secrets.randbelow(1 << 32) if asked.seed is None else asked.seed
    began, computed, wrong = time.monotonic(), time.process_time(), 0
    found = Counter[str]()
    for number in itertools.count(asked.first):
        if number - asked.first == asked.programs or time.monotonic() - began > 60 * asked.minutes:
            break
        one = drawn(seed, number)
        found["programs"] += 1
        try:
            world = played(one)
        except WRONG:
            wrong += 1
            _tell(one, seed, number)
            continue
        found["executions"] += len(world.pairs)
        found["items"] += len(world.past)
    took_s, cpu_s = time.monotonic() - began, time.process_time() - computed
    rates = {"a_minute": round(60 * found["programs"] / took_s), "cpu_ms_each": round(1_000 * cpu_s / max(1, found["programs"]), 1)}
    print(json.dumps({"seed": seed, **found, "took_s": round(took_s, 1), **rates, "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
