"""What happens beside a program changes nothing of what it does: versions, pauses, suspensions, repeats, late looks, yields."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from uuid import uuid5

from hypothesis import event, given
from hypothesis import strategies as st

from tests.engine.programs.disturbing.playing import Disturbed, One, outcome
from tests.engine.programs.driving.bounds import bounds
from tests.engine.programs.meshed.predicting import FEATURES, Expected, Prediction, expected
from tests.engine.programs.test_shadow_model import campaign

PLAYS = 4
NUMBER = re.compile(r"#[0-9]+")


@campaign(3)
@given(st.integers(0, 1 << 32))
def test_what_must_not_matter_changes_nothing(number: int) -> None:
    rng = random.Random(number)
    program = next(found for tried in range(1_000) if (found := expected(rng, tried, "pool", FEATURES | {"http.request"})) is not None)
    for _ in range(PLAYS):
        played = Disturbed(rng, program.documents, restart=rng.random() < 0.3)
        most = rng.choice((None, None, 2, 5, 12))
        try:
            with bounds(transition=most):
                played.play(program.id, program.slug, program.input)
            compare(program, played)
        except (AssertionError, LookupError, ValueError, TypeError) as error:
            error.add_note(f"number {number}, transitions of {most}\n{program.documents}\n" + "\n".join(played.log))
            raise
    event(f"executions: {len(program.executions)}")


def compare(program: Expected, played: Disturbed) -> None:
    """Raises: AssertionError when anything was done otherwise than predicted."""
    assert {id_: prediction(one) for id_, one in played.all.items()} == {id_: plain(one) for id_, one in program.executions.items()}


def prediction(one: One) -> Prediction:
    """What was done, in the words of predictions."""
    id_, visits = one.moving.id, Counter(node for node, _ in one.visits - one.held)
    keys = frozenset(f"{id_}:{node}:{visit}" for node, visit in one.asked)
    events = frozenset(str(uuid5(id_, f"event:{node}:{visit}")) for node, visit in one.events)
    return plain(Prediction(outcome(one), keys, tuple(sorted(visits.items())), events))


def plain(one: Prediction) -> Prediction:
    """Without the numbers of visits: one that was held up is a visit anew. Keys are told by how many there are of a node."""
    counted = Counter(key.split(":")[1] for key in one.keys)
    return replace(one, outcome=NUMBER.sub("", one.outcome), keys=frozenset(f"{node} {count}" for node, count in counted.items()))
