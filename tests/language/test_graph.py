"""Layer 2: how nodes and edges fit together."""

import pytest

from tests.language.build import codes, document, edge, node, only

A, B, C = node("a", "set", x=1), node("b", "set", y=1), node("c", "set", z=1)
GROUP = node("g", "group", nodes=[node("inner", "set", q=1)])


def test_an_id_is_unique_over_all_scopes() -> None:
    finding = only(document(A, node("g", "group", nodes=[node("a", "set", q=1)])), "duplicate_id")
    assert (finding.pointer, finding.node) == ("/nodes/1/with/nodes/0/id", "a")
    assert finding.patch == ({"op": "replace", "path": "/nodes/1/with/nodes/0/id", "value": "a_2"},)


def test_trigger_ids_are_unique() -> None:
    triggers = [{"id": "t", "on": "event", "event": "x"}, {"id": "t", "on": "manual"}]
    assert codes(document(A, triggers=triggers)) == [("duplicate_id", "/triggers/1/id")]


@pytest.mark.parametrize("word", ["from", "to"])
def test_an_edge_to_an_unknown_node_is_told_with_the_nearest(word: str) -> None:
    made = {**edge("first", "second"), word: "secnd" if word == "to" else "frst"}
    finding = only(document(node("first", "set", x=1), node("second", "set", x=1), edges=[made]), "unknown_node")
    assert finding.pointer == f"/edges/0/{word}"
    assert finding.fix == ("did you mean `second`?" if word == "to" else "did you mean `first`?")


def test_an_edge_does_not_cross_scopes() -> None:
    assert ("edge_across_scopes", "/edges/0/to") in codes(document(A, GROUP, edges=[edge("a", "inner")]), "error")
    inside = node("g", "group", nodes=[node("inner", "set", q=1)], edges=[edge("inner", "a")])
    assert ("edge_across_scopes", "/nodes/1/with/edges/0/to") in codes(document(A, inside), "error")


def test_start_names_a_node_of_its_own_graph() -> None:
    assert ("unknown_node", "/start") in codes(document(A, B, start="zzz"), "error")
    assert ("edge_across_scopes", "/start") in codes(document(A, GROUP, start="inner"), "error")
    assert codes(document(A, B, start="b"), "error") == []


def test_a_node_nothing_leads_to_is_told_once_for_the_outermost() -> None:
    assert codes(document(A, B, GROUP, edges=[edge("a", "b")])) == [("unreachable_node", "/nodes/2")]


def test_listed_order_reaches_every_node_up_to_the_end() -> None:
    assert codes(document(A, B, GROUP, C)) == []
    assert codes(document(A, node("e", "end"), B)) == [("unreachable_node", "/nodes/2")]


def test_nothing_leaves_an_end() -> None:
    assert ("edge_from_end", "/edges/0") in codes(document(node("e", "end"), B, edges=[edge("e", "b")]), "error")
    assert ("edge_from_end", "/edges/0") in codes(document(node("f", "fail"), B, edges=[edge("f", "b", "error")]), "error")


@pytest.mark.parametrize(
    ("made", "on", "possible"),
    [
        (A, "done", True),
        (A, "error", True),
        (A, "true", False),
        (node("a", "if", when="true"), "true", True),
        (node("a", "if", when="true"), "done", True),
        (node("a", "if", when="true"), "yes", False),
        (node("a", "switch", cases=[{"when": "true", "outcome": "x"}], default="y"), "x", True),
        (node("a", "switch", cases=[{"when": "true", "outcome": "x"}], default="y"), "y", True),
        (node("a", "switch", cases=[{"when": "true", "outcome": "x"}], default="y"), "z", False),
        (node("a", "state", signals={"go": {}}, after={"late": "1d"}), "late", True),
        (node("a", "state", signals={"go": {}}), "going", False),
        (node("a", "task", due="1d", outcomes=["yes"]), "yes", True),
        (node("a", "task", due="1d", outcomes=["yes"]), "timeout", True),
        (node("a", "task", due="1d", outcomes=["yes"]), "completed", False),
        (node("a", "task", due="1d"), "completed", True),
        (node("a", "activity", name="x"), "whatever", True),
        (node("a", "http.request", url="https://x.y"), "done", True),
        (node("a", "http.request", url="https://x.y"), "ok", False),
        ({**node("a", "http.request", url="https://x.y"), "timeout": "5s"}, "timeout", True),
        (node("a", "teams.post_message", text="x"), "done", True),
    ],
)
def test_an_edge_is_on_an_outcome_its_node_can_have(made: dict[str, object], on: str, possible: bool) -> None:
    assert (("impossible_outcome", "/edges/0/on") not in codes(document(made, B, edges=[edge("a", "b", on)]), "error")) is possible


def test_a_misspelt_outcome_is_told_with_the_nearest() -> None:
    task = node("a", "task", due="1d", outcomes=["approved", "rejected"])
    finding = only(document(task, B, edges=[edge("a", "b", "aproved"), edge("a", "b", "rejected")]), "impossible_outcome")
    assert finding.fix == "did you mean `approved`?"
    assert finding.patch == ({"op": "replace", "path": "/edges/0/on", "value": "approved"},)


def test_a_decision_that_leads_nowhere_is_told() -> None:
    task = node("a", "task", due="1d", outcomes=["approved", "rejected"])
    assert codes(document(task, B, edges=[edge("a", "b", "approved")]), "warning") == [("outcome_without_edge", "/nodes/0")]
    assert codes(document(task, B, edges=[edge("a", "b", "approved"), edge("a", "b")]), "warning") == []


def test_an_edge_behind_one_without_a_guard_is_never_taken() -> None:
    made = document(A, B, C, edges=[edge("a", "b"), edge("a", "c", when="true")])
    assert codes(made, "warning") == [("edge_never_taken", "/edges/1"), ("unreachable_node", "/nodes/2")]


def test_guards_that_may_all_fail_are_told() -> None:
    assert codes(document(A, B, edges=[edge("a", "b", when="input.x")])) == [("guards_may_all_fail", "/edges/0")]


def test_a_timeout_edge_needs_a_timeout() -> None:
    made = document(A, B, C, edges=[edge("a", "b"), edge("a", "c", "timeout")])
    assert ("edge_never_taken", "/edges/1") in codes(made, "warning")


def test_a_state_that_nothing_leaves_is_refused() -> None:
    assert codes(document(node("s", "state")), "error") == [("state_never_left", "/nodes/0/with")]
    assert codes(document({**node("s", "state"), "timeout": "1d"}), "error") == []


def test_outcome_names_are_unique_and_not_error() -> None:
    state = node("s", "state", signals={"go": {}}, after={"go": "1d"})
    assert codes(document(state), "error") == [("duplicate_outcome", "/nodes/0/with/after/go")]
    task = node("t", "task", due="1d", outcomes=["a", "a", "error"])
    assert codes(document(task), "error") == [
        ("duplicate_outcome", "/nodes/0/with/outcomes/1"),
        ("reserved_outcome", "/nodes/0/with/outcomes/2"),
    ]


def test_a_task_without_due_is_told() -> None:
    assert codes(document(node("t", "task", assignee="a@b.c"))) == [("task_without_due", "/nodes/0/with")]
    assert codes(document(node("t", "task", assignee="a@b.c", due="2d"))) == []


def test_separation_names_tasks() -> None:
    one = node("one", "task", due="1d", assignee="a")
    assert codes(document(one, node("two", "task", due="1d", assignee="b", separate_from=["one"]))) == []
    assert codes(document(one, node("two", "task", due="1d", assignee="b", separate_from=["on"]))) == [
        ("unknown_node", "/nodes/1/with/separate_from/0")
    ]
