"""Every kind of choice on the way is told with its conditions, and with the values that they had then."""

from __future__ import annotations

from typing import Any

from weft_engine.core import items as i
from weft_engine.core.selecting import ANY, Only
from weft_engine.schemas import ChoiceView, ExplanationView
from weft_engine.views import explanation_view

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of


def explained(run: Run, only: Only = ANY) -> ExplanationView:
    return explanation_view(ID, run.rows, {1: run.program}, CONTEXT.tenant, {}, only=only)


def told(choice: ChoiceView) -> tuple[str, str | None, list[tuple[str, Any, bool]]]:
    """Its kind, its outcome, and of each condition where it leads, what it gave and whether that way was gone."""
    return choice.kind, choice.outcome, [(one.to, one.condition and one.condition["value"], one.taken) for one in choice.considered]


CASES = [{"when": f"input.n > {more}", "outcome": outcome} for more, outcome in ((9, "many"), (1, "some"), (0, "few"))]


def switched(n: int) -> Run:
    nodes: list[dict[str, Any]] = [{"id": "s", "type": "switch", "with": {"cases": CASES}}, {"id": "z", "type": "set", "with": {"z": 1}}]
    edges = [{"from": "s", "to": "z", "on": outcome} for outcome in ("many", "some", "few", "done")]
    return Run(program_of(nodes, edges)).start({"n": n})


def test_a_switch_tells_the_cases_up_to_the_one_that_held() -> None:
    (choice,) = explained(switched(5)).choices
    assert told(choice) == ("switch", "some", [("many", False, False), ("some", True, True)])


def test_a_switch_in_which_no_case_held_tells_all_of_them() -> None:
    (choice,) = explained(switched(0)).choices
    assert told(choice) == ("switch", "done", [("many", False, False), ("some", False, False), ("few", False, False)])


def test_the_edges_from_an_outcome_are_told_up_to_the_one_that_was_gone() -> None:
    nodes = [{"id": node, "type": "set", "with": {node: 1}} for node in ("a", "b", "c", "d")]
    edges = [{"from": "a", "to": "b", "when": "input.n > 9"}, {"from": "a", "to": "c", "when": "input.n > 1"}, {"from": "a", "to": "d"}]
    (choice,) = explained(Run(program_of(nodes, edges)).start({"n": 5})).choices
    assert told(choice) == ("edge", "done", [("b", False, False), ("c", True, True)])


def test_the_last_edge_of_an_outcome_may_have_no_condition() -> None:
    nodes = [{"id": node, "type": "set", "with": {node: 1}} for node in ("a", "b", "d")]
    edges = [{"from": "a", "to": "b", "when": "input.n > 9"}, {"from": "a", "to": "d"}]
    (choice,) = explained(Run(program_of(nodes, edges)).start({"n": 5})).choices
    assert told(choice) == ("edge", "done", [("b", False, False), ("d", None, True)])


def looped(**until: str) -> Run:
    body = {"nodes": [{"id": "a", "type": "set", "with": {"n": "{{ iteration }}"}}]}
    return Run(program_of([{"id": "l", "type": "loop", "with": {**until, "body": body}}])).start()


def test_a_loop_tells_what_it_read_before_each_round() -> None:
    rounds = [told(choice) for choice in explained(looped(**{"while": "iteration <= 2"})).choices]
    assert rounds == [("loop", None, [(f"round {number}", number <= 2, number <= 2)]) for number in (1, 2, 3)]


def test_a_loop_tells_what_it_read_after_each_round() -> None:
    rounds = [told(choice) for choice in explained(looped(until="iteration == 2")).choices]
    assert rounds == [("loop", None, [("done", number == 2, number == 2)]) for number in (1, 2)]


def guarded() -> Run:
    nodes = [{"id": "s", "type": "state", "with": {"signals": {"pay": {}}}}, {"id": "z", "type": "set", "with": {"z": 1}}]
    edges = [{"from": "s", "to": "z", "on": "pay", "when": "signal.amount >= 10 && signal.user.id == 'ann'"}]
    return Run(program_of(nodes, edges)).start()


def test_a_state_tells_the_guard_that_let_a_signal_in_and_who_had_sent_it() -> None:
    run = guarded().do(i.Signal(ID, "one", "pay", {"amount": 12}, {"id": "ann"}))
    (choice,) = explained(run).choices
    assert told(choice) == ("edge", "pay", [("z", True, True)])


def test_of_a_node_that_is_asked_for_alone_no_other_is_told() -> None:
    nodes = [{"id": node, "type": "if", "with": {"when": "true"}} for node in ("a", "b")]
    run = Run(program_of(nodes, [{"from": "a", "to": "b", "on": "true"}])).start()
    assert [choice.node for choice in explained(run).choices] == ["a", "b"]
    assert [choice.node for choice in explained(run, Only("b")).choices] == ["b"]
