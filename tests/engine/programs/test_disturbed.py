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
from tests.engine.programs.disturbing.renaming import KEPT, MARK
from tests.engine.programs.driving.bounds import bounds
from tests.engine.programs.driving.playing import RARE_FROM
from tests.engine.programs.generating.scenarios import MAIN, Scenario
from tests.engine.programs.meshed.predicting import FEATURES, Expected, Prediction, expected, predicted
from tests.engine.programs.shadow.frames import Layout
from tests.engine.programs.test_shadow_model import campaign

PLAYS = 4
HELD_UP = 24
"""Plays of the shadow, each with one type of nodes held up, in which a program must come to the same."""
NUMBER = re.compile(r"#[0-9]+")


@campaign(3)
@given(st.integers(0, 1 << 32))
def test_what_must_not_matter_changes_nothing(number: int) -> None:
    rng = random.Random(number)
    found = (expected(rng, tried, "pool", FEATURES | {"http.request"}) for tried in range(1_000))
    program = next(one for one in found if one is not None and is_steady(one, rng))
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


def is_steady(program: Expected, rng: random.Random) -> bool:
    """Whether it comes to the same where the nodes of some type are entered later than they could be: else a suspension is no bystander."""
    usual = {id_: plain(one) for id_, one in program.executions.items()}
    nodes = [node for document in program.documents.values() for node in Layout(document).nodes.values()]
    types = sorted({node["type"] for node in nodes} - KEPT)
    scenario = Scenario({MAIN: program.documents[program.slug], **program.documents}, program.input, b"")
    for type_ in types and rng.choices(types, k=HELD_UP):
        script = bytes(rng.randrange(RARE_FROM) for _ in range(200))
        found = predicted(program.id, scenario, script, held_up=f"node_type:{type_}")
        if found is None or {id_: plain(one) for id_, one in found.items()} != usual:
            return False
    return True


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
    return replace(
        one, outcome=NUMBER.sub("", one.outcome).replace(MARK, ""), keys=frozenset(f"{node} {count}" for node, count in counted.items())
    )
