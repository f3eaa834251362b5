"""Several executions of one workflow, of a tenant with quotas, with keys of its triggers: never do more live behind a gate than it lets in,
and who waits begins, or is skipped, as the shadow says.
"""

from __future__ import annotations

from hypothesis import event, given
from hypothesis import strategies as st

from tests.engine.programs.generating.scenarios import Scenario, crowds
from tests.engine.programs.test_shadow_model import campaign, played


@campaign(100)
@given(crowds(), st.booleans())
def test_executions_of_one_workflow_are_let_in_skipped_and_cancelled_as_the_shadow_says(scenario: Scenario, restart: bool) -> None:
    world = played(scenario, restart=restart)

    assert all(pair.shadow.ended for pair in world.pairs.values() if pair.shadow.status != "new")
    event(f"let in: {sum(1 for line in world.log if 'is let in' in line)}")
