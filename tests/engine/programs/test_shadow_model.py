"""Random programs against the shadow model: the engine's pure core does what an independent interpreter says, transition by transition.

Each scenario is one or more definitions over the whole language and a script of what happens: answers of workers, decisions, signals,
time, repeats that come late, pauses, cancelling. Both sides are told the same in the same order, and after each item the visits begun,
what was asked of others, the variables, the status, the output and the error must be equal, and the order one that the language allows.

A failure shows the shrunk definitions, the script and everything that happened. The gate plays the same programs every time, so that a
change is judged by what it changes; `WEFT_PROGRAMS_SEED` (a number, or `fresh`) plays others, and `WEFT_PROGRAMS` (a factor, 0.6 when
unset) more: `WEFT_PROGRAMS_SEED=fresh WEFT_PROGRAMS=20 pytest tests/engine/programs` plays about 30,000 in half an hour.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from weft_engine.core.claiming import opened
from weft_engine.core.entries import encode
from weft_language import parse, validate
from weft_language.validation.publishing import publish_findings

from tests.engine.programs.driving.playing import play
from tests.engine.programs.driving.world import MAIN_ID, World
from tests.engine.programs.generating.scenarios import MAIN, Scenario, early_signals, scenarios, suspensions
from tests.engine.programs.generating.undoing import compensations

_ASKED = os.environ.get("WEFT_PROGRAMS_SEED", "1")
SEED = secrets.randbelow(1 << 32) if _ASKED == "fresh" else int(_ASKED)
FACTOR = float(os.environ.get("WEFT_PROGRAMS", "0.6"))
SHRINKING_S = 420

Test = Callable[..., None]


def campaign(examples: int) -> Callable[[Test], Test]:
    """So many examples of the run's seed; what fails is shrunk, which may take minutes."""
    phases = (Phase.generate, Phase.shrink)
    chosen = settings(
        max_examples=max(1, int(examples * FACTOR)),
        database=None,
        phases=phases,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )

    def decorated(test: Test) -> Test:
        return pytest.mark.timeout(SHRINKING_S + 60 * FACTOR)(seed(SEED)(chosen(test)))

    return decorated


def played(scenario: Scenario, **how: Any) -> World:
    """The world after everything has happened to it."""
    try:
        return play(World.of(scenario, **how))
    except (AssertionError, LookupError, ValueError, TypeError) as error:
        error.add_note(f"repeat it with WEFT_PROGRAMS_SEED={SEED}")
        raise


@campaign(120)
@given(scenarios())
def test_every_generated_program_is_valid(scenario: Scenario) -> None:
    for document in scenario.programs.values():
        assert [finding.as_dict() for finding in validate(document) if finding.severity == "error"] == []
        assert publish_findings(parse(document)) == ()


@campaign(60)
@given(scenarios())
def test_the_shadow_alone_brings_every_program_to_an_end(scenario: Scenario) -> None:
    world = played(scenario, engine=False)

    assert world.pairs[MAIN_ID].shadow.ended


@campaign(600)
@given(scenarios())
def test_the_engine_does_what_the_shadow_says(scenario: Scenario) -> None:
    world = played(scenario)

    assert world.pairs[MAIN_ID].shadow.ended


@campaign(150)
@given(suspensions(), st.booleans())
def test_what_is_suspended_waits_and_goes_on_where_it_stood(scenario: Scenario, restart: bool) -> None:
    world = played(scenario, restart=restart)

    assert world.pairs[MAIN_ID].shadow.ended


@campaign(150)
@given(compensations())
def test_compensations_beside_each_other_undo_each_node_once_and_one_after_another(scenario: Scenario) -> None:
    world = played(scenario)

    assert world.pairs[MAIN_ID].shadow.ended


@campaign(150)
@given(early_signals())
def test_a_signal_that_comes_early_is_kept_for_its_time_and_a_pause_takes_nothing_of_that(scenario: Scenario) -> None:
    world = played(scenario)

    assert world.pairs[MAIN_ID].shadow.ended


@campaign(180)
@given(scenarios())
def test_dropping_all_memory_before_each_item_changes_nothing(scenario: Scenario) -> None:
    kept, dropped = played(scenario), played(scenario, restart=True)

    assert kept.log == dropped.log
    assert journals(kept) == journals(dropped)


@campaign(180)
@given(scenarios(), st.sampled_from([1, 12, 40]), st.booleans())
def test_keeping_values_apart_changes_nothing_with_memory_or_without(scenario: Scenario, over: int, restart: bool) -> None:
    inline, apart = played(scenario), played(scenario, apart_over=over, restart=restart)

    assert inline.log == apart.log
    assert journals(inline) == journals(apart)


def test_a_workflow_that_calls_itself_for_ever_is_stopped_at_the_twentieth_call() -> None:
    again = {"id": "again", "type": "call", "with": {"workflow": MAIN, "input": {"n": "{{ input.n + 1 }}"}}}
    world = played(Scenario({MAIN: {"format": "weft/v1", "slug": MAIN, "name": MAIN, "nodes": [again]}}, {"n": 0}, b""))

    assert len(world.pairs) == 21
    assert [pair.cored.state.error["code"] for pair in world.pairs.values() if pair.cored and pair.cored.state.error] == [
        "call_too_deep"
    ] * 21


def journals(world: World) -> dict[str, list[tuple[int, bytes]]]:
    """What each execution's journal holds."""
    found = [pair.cored for pair in world.pairs.values() if pair.cored is not None]
    return {str(cored.id): [(row.position, encode(row.entries)) for row in opened(cored.rows, cored.contents)] for cored in found}
