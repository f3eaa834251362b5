"""Cycles are allowed; one in which nothing waits and nothing can change is refused."""

from typing import Any

import pytest

from tests.language.build import codes, document, edge, node, only

X, Y = node("x", "set", a=1), node("y", "set", b=2)
COUNT = node("count", "set", n="{{ vars.n + 1 }}")
BACK = [edge("x", "y"), edge("y", "x")]


def refused(*nodes: dict[str, Any], edges: list[dict[str, Any]], **more: Any) -> bool:
    return "cycle_never_waits" in [code for code, _ in codes(document(*nodes, edges=edges, **more), "error")]


def test_a_cycle_of_constants_is_refused_and_drawn() -> None:
    finding = only(document(X, Y, edges=BACK), "cycle_never_waits")
    assert (finding.pointer, finding.node) == ("/nodes/0", "x")
    assert "`x` → `y` → `x`" in finding.message
    assert finding.fix


def test_a_node_that_leads_to_itself_is_refused() -> None:
    assert refused(X, edges=[edge("x", "x")])


@pytest.mark.parametrize(
    "waiting",
    [
        node("y", "wait", for_="1m"),
        node("y", "state", signals={"done": {}}),
        node("y", "task", due="1d", outcomes=["done"]),
        node("y", "activity", name="poll"),
        node("y", "http.request", url="https://example.com"),
        node("y", "teams.post_message", text="x"),
    ],
)
def test_a_cycle_that_waits_is_allowed(waiting: dict[str, Any]) -> None:
    assert not refused(X, waiting, edges=BACK)


def test_a_cycle_that_counts_is_allowed() -> None:
    again = [edge("count", "more"), edge("more", "count", "true")]
    assert not refused(COUNT, node("more", "if", when="vars.n < 10"), edges=again, vars={"n": 0})


def test_a_cycle_that_counts_for_ever_is_told_but_allowed() -> None:
    assert codes(document(COUNT, edges=[edge("count", "count")], vars={"n": 0})) == [("cycle_never_ends", "/nodes/0")]


def test_a_cycle_whose_decision_never_changes_is_refused() -> None:
    assert refused(node("if", "if", when="input.again"), Y, edges=[edge("if", "y", "true"), edge("y", "if")])
    assert refused(X, Y, edges=[edge("x", "y", when="input.again"), edge("y", "x")])


def test_a_cycle_that_sets_what_its_decision_reads_is_allowed() -> None:
    again = [edge("if", "y", "true"), edge("y", "if")]
    assert not refused(node("if", "if", when="vars.b != 2"), Y, edges=again, vars={"b": 0})
    assert not refused(node("if", "if", when="!has(step.y.output)"), Y, edges=again)


def test_the_same_text_each_time_round_is_no_change() -> None:
    assert refused(node("x", "set", a="{{ input.name }} {{ tenant.id }}"), Y, edges=BACK)


def test_a_cycle_of_events_is_refused() -> None:
    assert refused(node("x", "publish", type="a.b"), Y, edges=BACK)


def test_a_cycle_through_a_group_counts_what_stands_in_it() -> None:
    group = node("y", "group", nodes=[node("inner", "set", q=1)])
    waits = node("y", "group", nodes=[node("inner", "wait", for_="1s")])
    sometimes = node("y", "group", nodes=[node("c", "if", when="input.x"), node("w", "wait", for_="1s")], edges=[edge("c", "w", "true")])
    assert refused(X, group, edges=BACK)
    assert not refused(X, waits, edges=BACK)
    assert refused(X, sometimes, edges=BACK)


def test_a_cycle_inside_a_group_is_refused() -> None:
    assert refused(node("g", "group", nodes=[X, Y], edges=BACK), edges=[])


def test_a_bad_cycle_beside_a_good_one_is_found() -> None:
    wait = node("w", "wait", for_="1s")
    assert refused(X, Y, wait, edges=[*BACK, edge("y", "w", "error"), edge("w", "x")])


def test_a_cycle_that_nothing_reaches_is_no_error() -> None:
    assert not refused(node("a", "end"), X, Y, edges=BACK)
