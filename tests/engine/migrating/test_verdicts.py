"""What stands in the way of going on by another version is named, node by node."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.mapping import MappingUnusable, completed, proposal
from weft_language.compilation import Program

from tests.engine.core.conftest import ID, Run
from tests.engine.migrating.conftest import to, verdict_of, version

TASK: dict[str, Any] = {"type": "task", "with": {"title": "Decide", "outcomes": ["yes", "no"]}}
WORK: dict[str, Any] = {"type": "activity", "with": {"name": "work"}}
WAIT: dict[str, Any] = {"type": "wait", "with": {"for": "1h"}}
LAST: dict[str, Any] = {"id": "z", "type": "set", "with": {"x": 1}}


def state(*signals: str) -> dict[str, Any]:
    return {"id": "a", "type": "state", "with": {"signals": {name: {} for name in signals}}}


def parallel(*branches: str, **more: Any) -> dict[str, Any]:
    graphs = {name: {"nodes": [{"id": name, **WORK}]} for name in branches}
    return {"id": "fan", "type": "parallel", "with": {"branches": graphs, **more}}


def each(as_: str) -> dict[str, Any]:
    return {"id": "each", "type": "foreach", "with": {"items": "{{ [1] }}", "as": as_, "body": {"nodes": [{"id": "a", **WORK}]}}}


def group(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"id": "g", "type": "group", "with": {"nodes": list(nodes)}}


PAID: dict[str, Any] = {"id": "a", "type": "state", "with": {"events": {"paid": {"event": "invoice.paid"}}}}

BLOCKED = [
    ([{"id": "a", **TASK}, LAST], [LAST], [("node_gone", "a")]),
    ([{"id": "a", **TASK}, LAST], [{"id": "a", **WAIT}, LAST], [("type_changed", "a")]),
    (
        [{"id": "a", **WORK}],
        [{"id": "a", "type": "http.request", "with": {"method": "GET", "url": "https://x.org"}}],
        [("type_changed", "a")],
    ),
    ([{"id": "a", **TASK}, LAST], [group({"id": "a", **TASK}), LAST], [("other_graph", "a")]),
    ([group({"id": "a", **TASK})], [{"id": "a", **TASK}], [("node_gone", "g")]),
    ([state("go", "stop"), LAST], [state("go"), LAST], [("signal_unknown", "a")]),
    ([PAID, LAST], [{**PAID, "with": {"events": {"paid": {"event": "order.paid"}}}}, LAST], [("events_changed", "a")]),
    ([state("go"), LAST], [{**PAID, "with": {**PAID["with"], "signals": {"go": {}}}}, LAST], [("events_changed", "a")]),
    ([parallel("l", "r")], [parallel("l")], [("scope_gone", "fan"), ("node_gone", "r")]),
    ([parallel("l", "r")], [parallel("l", "r", "more")], [("branches_missing", "fan")]),
    ([each("item")], [each("one")], [("item_renamed", "each")]),
]


@pytest.mark.parametrize(("before", "after", "reasons"), BLOCKED)
def test_it_is_blocked_and_the_reason_names_the_node(before: Any, after: Any, reasons: Any) -> None:
    run = Run(version(1, before)).start()
    found = to(run, version(2, after), {})
    kind, told = verdict_of(found)
    assert (found.answer.status, found.answer.code, kind, run.state.version) == (409, "migration_blocked", "blocked", 1)
    assert [one for one in told if one in reasons] == reasons


def test_a_wait_for_the_same_events_may_be_called_otherwise() -> None:
    run = Run(version(1, [PAID, LAST])).start()
    other = {**PAID, "id": "other", "with": {"events": {"paid": {"event": "order.paid"}}}}
    assert verdict_of(to(run, version(2, [other, LAST]), {"a": "other"})) == ("blocked", [("events_changed", "a")])
    assert verdict_of(to(run, version(2, [{**PAID, "id": "other"}, LAST]), {"a": "other"})) == ("ok", [])


def test_a_branch_more_blocks_nothing_where_enough_have_begun() -> None:
    run = Run(version(1, [parallel("l", "r", join="any")])).start()
    assert verdict_of(to(run, version(2, [parallel("l", "r", "more", join="any")])))[0] == "ok_unchanged_position"


def test_a_kept_signal_that_nobody_would_take_blocks() -> None:
    nodes = [state("go"), {"id": "b", "type": "state", "with": {"signals": {"paid": {}}}}]
    run = Run(version(1, nodes)).start().signal("paid")
    assert verdict_of(to(run, version(2, [state("go"), LAST]), {"b": None})) == ("blocked", [("signal_unknown", None)])
    paused = Run(version(1, nodes)).start().do(i.Pause(ID)).signal("paid")
    assert verdict_of(to(paused, version(2, [state("go"), LAST]), {"b": None})) == ("blocked", [("signal_unknown", None)])


def test_an_execution_that_has_ended_or_is_being_undone_stays() -> None:
    undo = {"compensate": {"type": "activity", "with": {"name": "undo"}}}
    nodes = [{"id": "a", **WORK, **undo}, {"id": "b", "type": "fail", "with": {"code": "no", "message": "no"}}]
    run = Run(version(1, nodes, settings={"on_failure": "compensate"})).start().complete("a")
    assert verdict_of(to(run, version(2, nodes))) == ("blocked", [("ending", None)])
    run.complete("a.compensate")
    assert verdict_of(to(run, version(2, nodes)))[1] == [("not_live", None)]


def test_what_cannot_be_rendered_at_the_beginning_blocks() -> None:
    run = Run(version(1, [{"id": "a", **TASK}])).start()
    assert verdict_of(to(run, version(2, [{"id": "a", **TASK}], vars={"x": "{{ input.none }}"})))[1] == [("not_rendered", None)]


def test_other_outcomes_and_forms_of_an_open_task_are_warned_of() -> None:
    run = Run(version(1, [{"id": "a", **TASK}])).start()
    other = {"title": "Decide", "outcomes": ["yes", "later"], "form": {"type": "object"}}
    moved = to(run, version(2, [{"id": "a", "type": "task", "with": other}]))
    assert [(one["code"], one["node"]) for one in moved.answer.body["warnings"]] == [("outcomes_changed", "a"), ("form_changed", "a")]


def test_work_under_way_that_would_be_asked_otherwise_is_warned_of() -> None:
    run = Run(version(1, [{"id": "a", **WORK}])).start()
    moved = to(run, version(2, [{"id": "a", "type": "activity", "with": {"name": "work", "input": 2}}]))
    assert [one["code"] for one in moved.answer.body["warnings"]] == ["under_way"]


def test_a_mapping_of_nodes_that_are_not_there_is_refused_with_pointers() -> None:
    old, new = version(1, [{"id": "a", **TASK}, {"id": "b", **TASK}]), version(2, [{"id": "c", **TASK}])
    answer = to(Run(old).start(), new, {"a": "c", "b": "c", "d": "c", "e": None}).answer
    assert (answer.status, answer.code) == (422, "mapping_unusable")
    assert [one["pointer"] for one in answer.body["errors"]] == ["/mapping/d", "/mapping/e", "/mapping/b", "/mapping/d"]
    with pytest.raises(MappingUnusable, match="both become c"):
        completed(old, new, {"a": "c", "b": "c"})


def proposed(old: Program, new: Program) -> dict[str, tuple[str | None, float]]:
    return {one.old: (one.new, one.confidence) for one in proposal(old, new)}


def test_same_id_and_type_are_certain_and_a_rename_is_guessed() -> None:
    old = version(1, [{"id": "a", **TASK}, {"id": "b", **WORK}, {"id": "c", **WAIT}, LAST])
    new = version(2, [{"id": "a", **TASK}, {"id": "job", **WORK}, {"id": "c", "type": "set", "with": {"y": 1}}, LAST])
    assert proposed(old, new) == {"a": ("a", 1.0), "b": ("job", 0.83), "c": (None, 1.0), "z": ("z", 1.0)}


def test_renamed_scopes_tell_which_graphs_are_the_same() -> None:
    old = version(1, [group({"id": "a", **TASK}, {"id": "b", **WAIT})])
    new = version(2, [{"id": "h", "type": "group", "with": {"nodes": [{"id": "c", **TASK}, {"id": "d", **WAIT}]}}])
    assert {node: becomes for node, (becomes, _) in proposed(old, new).items()} == {"g": "h", "a": "c", "b": "d"}
    assert completed(old, new, None) == {"g": "h", "a": "c", "b": "d"}


def test_a_guess_that_is_not_sure_is_shown_and_not_followed() -> None:
    old = version(1, [{"id": "a", **WORK}, LAST])
    new = version(2, [{"id": "b", "type": "activity", "with": {"name": "other"}}, LAST])
    assert proposed(old, new)["a"] == ("b", 0.5)
    assert completed(old, new, None) == {"a": None, "z": "z"}
