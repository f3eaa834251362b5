"""Random programs that come to the core's bounds: transitions that are too long for one, and executions that never rest."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.engine.programs.driving.bounds import bounds
from tests.engine.programs.driving.lagging import lag
from tests.engine.programs.driving.playing import RARE_FROM, Script
from tests.engine.programs.driving.world import MAIN_ID
from tests.engine.programs.generating.maker import below
from tests.engine.programs.generating.scenarios import EVERYTHING, MAIN, SCRIPTS, Scenario, programs, scenarios
from tests.engine.programs.generating.undoing import compensations
from tests.engine.programs.meshed.predicting import FEATURES, for_mesh, predicted
from tests.engine.programs.test_shadow_model import campaign, played

ONE_POSITION = EVERYTHING - {"parallel", "foreach"}
"""What has one position at a time, so that what comes after what is not left open."""
ORDERS = 10
"""In which the shadow tries whether a program's end depends on the order of what happens."""


@st.composite
def settled(draw: Any) -> Scenario:
    """A program that needs nobody but workers."""
    made = programs(lambda limit: int(draw(below(limit))), FEATURES - {"call"}, 8)
    document = for_mesh(made[MAIN], {MAIN: MAIN}, "pool")
    return Scenario({MAIN: document}, {"n": draw(below(5)), "items": [3, 4, 5]}, draw(SCRIPTS))


@campaign(150)
@given(st.one_of(scenarios(), compensations()), st.integers(2, 12), st.booleans())
def test_a_transition_that_yields_and_goes_on_does_what_one_does(scenario: Scenario, most: int, restart: bool) -> None:
    with bounds(transition=most):
        world = played(scenario, restart=restart)

    event(f"yields: {min(8, sum(pair.cored.yielded for pair in world.pairs.values() if pair.cored))}")


@campaign(60)
@given(settled(), st.integers(2, 6))
def test_whatever_happens_before_it_goes_on_it_ends_the_same(scenario: Scenario, most: int) -> None:
    orders = random.Random(7)
    scripts = [bytes(orders.randrange(RARE_FROM) for _ in range(200)) for _ in range(ORDERS)]
    found = [predicted(MAIN_ID, scenario, script) for script in scripts]
    event(f"the order matters: {any(one != found[0] for one in found)}")
    if found[0] is None or any(one != found[0] for one in found):
        return
    script = Script(scenario.script)
    with bounds(transition=most):
        assert lag(MAIN_ID, scenario.programs[MAIN], scenario.input, lambda limit: script.next() % limit) == found[0][MAIN_ID]


@campaign(150)
@given(scenarios(ONE_POSITION), st.integers(3, 15))
def test_an_execution_that_never_rests_ends_as_runaway(scenario: Scenario, most: int) -> None:
    with bounds(runaway=most):
        world = played(scenario, runaway=most)

    error = world.pairs[MAIN_ID].shadow.error
    event(f"runaway: {error is not None and error.code == 'runaway'}")


def round_and_round(*nodes: dict[str, Any]) -> Scenario:
    """A cycle that ends after so many rounds as its input says."""
    count = {"id": "count", "type": "set", "with": {"n": "{{ vars.n + 1 }}"}}
    ask = {"id": "ask", "type": "if", "with": {"when": "vars.n < input.n"}}
    listed = [count, *nodes, ask]
    edges = [{"from": one["id"], "to": two["id"], "on": "done"} for one, two in zip(listed, listed[1:], strict=False)]
    edges.append({"from": "ask", "to": "count", "on": "true"})
    document = {"format": "weft/v1", "slug": MAIN, "name": MAIN, "vars": {"n": 0}, "nodes": listed, "edges": edges}
    return Scenario({MAIN: document}, {"n": 5_001}, b"")


@pytest.mark.parametrize(("n", "code"), [(5_000, None), (5_001, "runaway")])
def test_ten_thousand_visits_without_a_wait_are_one_too_many(n: int, code: str | None) -> None:
    scenario = round_and_round()
    world = played(Scenario(scenario.programs, {"n": n}, b""))

    error = world.pairs[MAIN_ID].shadow.error
    assert (error and error.code) == code
