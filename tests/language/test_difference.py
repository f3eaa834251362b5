"""What has changed between two versions, told as a person would."""

from typing import Any

from hypothesis import given, settings
from weft_language import difference, parse

from tests.language.build import document, edge, node
from tests.language.strategies import definitions

A, B = node("a", "set", x=1), node("b", "http.request", url="https://x.y")


def compared(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return difference(parse(before), parse(after)).as_dict()


def told(found: dict[str, Any]) -> dict[str, list[str]]:
    """Part and kind to ids, without the empty ones."""
    return {
        f"{part} {kind}": [change["id"] for change in changes]
        for part, kinds in found.items()
        for kind, changes in kinds.items()
        if changes
    }


def test_nodes_are_added_removed_and_changed_by_id() -> None:
    before = document(A, B, edges=[edge("a", "b")])
    after = document(node("a", "set", x=2), node("c", "end"), edges=[edge("a", "c")])
    found = compared(before, after)
    assert told(found) == {
        "nodes added": ["c"],
        "nodes removed": ["b"],
        "nodes changed": ["a"],
        "edges added": ["a -done-> c"],
        "edges removed": ["a -done-> b"],
    }
    assert found["nodes"]["changed"][0] == {"id": "a", "before": A, "after": node("a", "set", x=2), "pointers": ["/with/x"]}


def test_a_move_on_the_canvas_is_no_change() -> None:
    assert not difference(parse(document(A)), parse(document({**A, "position": {"x": 1, "y": 2}})))


def test_true_and_one_are_different() -> None:
    assert difference(parse(document(node("a", "set", x=1))), parse(document(node("a", "set", x=True))))


def test_a_change_inside_a_group_is_told_for_the_inner_node() -> None:
    found = compared(document(node("g", "group", nodes=[A])), document(node("g", "group", nodes=[node("a", "set", x=2)])))
    assert told(found) == {"nodes changed": ["a"]}
    moved = compared(document(A, node("g", "group", nodes=[B])), document(node("g", "group", nodes=[B, A])))
    assert told(moved)["nodes changed"] == ["a"]


def test_another_order_or_start_is_told_as_edges() -> None:
    assert told(compared(document(A, B), document(B, A))) == {
        "edges added": ["b -done-> a"],
        "edges removed": ["a -done-> b"],
        "edges changed": ["start"],
    }


def test_guards_triggers_settings_and_fields_are_compared() -> None:
    before = document(
        A, B, edges=[edge("a", "b")], triggers=[{"id": "t", "on": "event", "event": "x"}], settings={"priority": 1}, vars={"v": 1}
    )
    after = document(
        A,
        B,
        edges=[edge("a", "b", when="input.x")],
        triggers=[{"id": "t", "on": "event", "event": "y"}, {"id": "m", "on": "manual"}],
        settings={"priority": 2, "retention_days": 3},
        vars={"v": 2},
        description="new",
    )
    assert told(compared(before, after)) == {
        "edges changed": ["a -done-> b"],
        "triggers added": ["m"],
        "triggers changed": ["t"],
        "settings added": ["retention_days"],
        "settings changed": ["priority"],
        "fields added": ["description"],
        "fields changed": ["vars"],
    }


@settings(max_examples=50)
@given(definitions(), definitions())
def test_the_way_back_is_the_mirror_of_the_way(one: dict[str, Any], other: dict[str, Any]) -> None:
    there, back = compared(one, other), compared(other, one)
    for part in there:
        assert {change["id"] for change in there[part]["added"]} == {change["id"] for change in back[part]["removed"]}
        assert {change["id"] for change in there[part]["changed"]} == {change["id"] for change in back[part]["changed"]}
