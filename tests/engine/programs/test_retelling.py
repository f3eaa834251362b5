"""What a journal tells, told to the shadow, comes to what stands in the journal; where anything else stands there, that is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from weft_engine.core import entries as e
from weft_engine.core.evolve import flat
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.state import State

from tests.engine.core.conftest import ID, Run, program_of
from tests.engine.programs.driving.cored import CONTEXT
from tests.engine.programs.generating.scenarios import Scenario, scenarios, suspensions
from tests.engine.programs.meshed.retelling import Told, compare, retold
from tests.engine.programs.test_shadow_model import campaign, played


def journals(scenario: Scenario) -> list[tuple[str, Told]]:
    """What is told of each execution of a scenario, with what it is of."""
    pairs = played(scenario).pairs.values()
    return [(pair.slug, Told(pair.id, flat(pair.cored.rows))) for pair in pairs if pair.cored is not None and pair.cored.rows]


@campaign(100)
@given(st.one_of(scenarios(), suspensions()))
def test_a_journal_told_to_the_shadow_comes_to_the_same(scenario: Scenario) -> None:
    for slug, told in journals(scenario):
        try:
            compare(told, retold(told, scenario.programs[slug]))
        except (AssertionError, LookupError, ValueError, TypeError) as error:
            error.add_note("\n".join(f"{at} {entry}" for entry, at in told.entries))
            raise


def test_of_two_alarms_of_one_moment_the_one_rings_first_that_the_journal_tells_of_first() -> None:
    limited = {"id": "limited", "type": "wait", "timeout": "90s", "with": {"for": "60s"}}
    branches = {"x": {"nodes": [limited]}, "y": {"nodes": [{"id": "plain", "type": "wait", "with": {"for": "60s"}}]}}
    nodes = [{"id": "par", "type": "parallel", "with": {"branches": branches, "join": "any"}}]
    run = Run(program_of(nodes)).start().later(seconds=60)
    told = Told(ID, flat(run.rows))

    compare(told, retold(told, dict(run.program.definition)))


@campaign(100)
@given(st.one_of(scenarios(), suspensions()))
def test_a_journal_replayed_is_the_same_journal(scenario: Scenario) -> None:
    for pair in played(scenario).pairs.values():
        assert pair.cored is not None
        entries = flat(pair.cored.rows)
        state, program = State(pair.id, "acme", pair.slug, 1), pair.cored.program
        again = flat(replay(state, happenings(pair.id, entries), program, CONTEXT))
        assert [as_shown(entry) for entry, _ in again] == [as_shown(entry) for entry, _ in entries]


def as_shown(entry: e.Entry) -> Any:
    """An entry as it is stored: one that was just made has tuples and times of its own."""
    return msgspec.json.decode(msgspec.json.encode(entry))


@campaign(20)
@given(scenarios())
def test_an_end_that_should_have_been_another_is_found(scenario: Scenario) -> None:
    for slug, told in journals(scenario):
        assume(told.ended is not None and told.ended.kind == e.COMPLETED)
        at = next(place for place, (entry, _) in enumerate(told.entries) if entry.kind == e.COMPLETED)
        entry, when = told.entries[at]
        other = msgspec.structs.replace(entry, data={**entry.data, "output": {"another": "one"}})
        altered = replace(told, entries=[*told.entries[:at], (other, when), *told.entries[at + 1 :]])
        with pytest.raises(AssertionError, match="expected output"):
            compare(altered, retold(altered, scenario.programs[slug]))


@campaign(20)
@given(scenarios())
def test_a_visit_that_should_not_have_been_is_found(scenario: Scenario) -> None:
    slug, told = journals(scenario)[0]
    first = next((number for number, (entry, _) in enumerate(told.entries) if entry.node and entry.visit), None)
    assume(first is not None)
    assert first is not None
    entry, when = told.entries[first]
    shadow = retold(told, scenario.programs[slug])
    twice = (msgspec.structs.replace(entry, visit=entry.visit + 90), when)
    altered = replace(told, entries=[*told.entries[: first + 1], twice, *told.entries[first + 1 :]])
    with pytest.raises(AssertionError, match="journalled"):
        compare(altered, shadow)
