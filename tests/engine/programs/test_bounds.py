"""Random programs that come to the core's bounds: transitions that are too long for one, and executions that never rest."""

from __future__ import annotations

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.engine.programs.driving.bounds import bounds
from tests.engine.programs.driving.world import MAIN_ID
from tests.engine.programs.generating.scenarios import EVERYTHING, MAIN, Scenario, scenarios
from tests.engine.programs.generating.undoing import compensations
from tests.engine.programs.test_shadow_model import campaign, played

ONE_POSITION = EVERYTHING - {"parallel", "foreach"}
"""What has one position at a time, so that what comes after what is not left open."""


@campaign(100)
@given(st.one_of(scenarios(), compensations()), st.integers(2, 12), st.booleans())
def test_a_transition_that_yields_and_goes_on_does_what_one_does(scenario: Scenario, most: int, restart: bool) -> None:
    with bounds(transition=most):
        world = played(scenario, restart=restart)

    event(f"yields: {min(8, sum(pair.cored.yielded for pair in world.pairs.values() if pair.cored))}")


@campaign(80)
@given(scenarios(ONE_POSITION), st.integers(3, 15))
def test_an_execution_that_never_rests_ends_as_runaway(scenario: Scenario, most: int) -> None:
    with bounds(runaway=most):
        world = played(scenario, runaway=most)

    error = world.pairs[MAIN_ID].shadow.error
    event(f"runaway: {error is not None and error.code == 'runaway'}")


ROUNDS = {
    "format": "weft/v1",
    "slug": MAIN,
    "name": MAIN,
    "vars": {"n": 0},
    "nodes": [
        {"id": "count", "type": "set", "with": {"n": "{{ vars.n + 1 }}"}},
        {"id": "ask", "type": "if", "with": {"when": "vars.n < input.n"}},
    ],
    "edges": [{"from": "count", "to": "ask", "on": "done"}, {"from": "ask", "to": "count", "on": "true"}],
}
"""A cycle that ends after so many rounds of two visits as its input says."""


@pytest.mark.parametrize(("n", "code"), [(5_000, None), (5_001, "runaway")])
def test_ten_thousand_visits_without_a_wait_are_one_too_many(n: int, code: str | None) -> None:
    world = played(Scenario({MAIN: ROUNDS}, {"n": n}, b""))

    error = world.pairs[MAIN_ID].shadow.error
    assert (error and error.code) == code
