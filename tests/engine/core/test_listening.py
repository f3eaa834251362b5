"""Domain events leave a state: looked up by the value they are correlated by, taken by the visit they are for, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from weft_engine.core import items as i
from weft_engine.core.entries import SIGNAL_REFUSED
from weft_engine.core.evolve import flat
from weft_engine.core.listening import REFUSED_MOST
from weft_engine.core.messages import messages
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.rewinding import retry
from weft_engine.core.state import State
from weft_engine.views import explanation_view

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of

PAID = {"event": "order.paid", "match": "event.data.order == input.order"}
CHILD = UUID("1076b5da-70e4-55d1-ba50-dda81756dc43")
LATE = "0190a6f0-0000-7000-8000-00000000000b"


def state(node: str = "s", /, signals: Any = None, after: Any = None, **events: Any) -> dict[str, Any]:
    with_ = {"events": events, **({"signals": signals} if signals else {}), **({"after": after} if after else {})}
    return {"id": node, "type": "state", "with": with_}


def put(node: str, **values: Any) -> dict[str, Any]:
    return {"id": node, "type": "set", "with": values}


def event(run: Run, name: str, type_: str = "order.paid", event_id: str = "e1", /, **data: Any) -> Run:
    attributes = {"specversion": "1.0", "id": event_id, "source": "/shop", "type": type_}
    return run.do(i.DomainEvent(ID, event_id, name, {**attributes, "data": data}))


def commands(run: Run, type_: str) -> list[dict[str, Any]]:
    """What the events service was asked, as it reads it."""
    return [msgspec.json.decode(bytes(out.item.data)) for out in run.outgoing if out.item.type == type_]


def test_a_state_asks_for_its_events_by_the_value_it_waits_for_and_leaves_by_the_outcome_named() -> None:
    edges = [{"from": "s", "to": "sent", "on": "paid"}]
    run = Run(program_of([state(paid=PAID), put("sent", x="{{ step.s.output.amount }}")], edges)).start({"order": "a7"})
    [opened] = commands(run, "subscription.open")
    assert opened["waits"] == [{"name": "paid", "pattern": "order.paid", "path": "/order", "value": '"a7"'}]
    assert (opened["node"], opened["visit"], run.state.status) == ("s", 1, "waiting")
    event(run, "paid", order="a7", amount=5)
    assert (run.state.status, run.state.steps["s"].outcome, run.state.vars) == ("completed", "paid", {"x": 5})
    [closed] = commands(run, "subscription.close")
    assert (closed["node"], closed["event_id"], closed["position"] > opened["position"]) == ("s", "e1", True)


def test_an_event_with_another_value_or_of_another_type_is_dropped() -> None:
    run = Run(program_of([state(paid=PAID)])).start({"order": "a7"})
    position = run.state.position
    event(run, "paid", "order.paid", "e1", order="other")
    event(run, "paid", "order.lost", "e2", order="a7")
    event(run, "gone", "order.paid", "e3", order="a7")
    assert (run.state.status, run.state.position) == ("waiting", position)


def test_of_several_waits_the_first_event_wins_and_the_rest_is_dropped() -> None:
    nodes = [state(paid=PAID, lost={"event": "order.lost"}), put("p", end="paid"), put("l", end="lost")]
    edges = [{"from": "s", "to": "p", "on": "paid"}, {"from": "s", "to": "l", "on": "lost"}]
    run = Run(program_of(nodes, edges)).start({"order": 1})
    assert len(commands(run, "subscription.open")[0]["waits"]) == 2
    event(run, "lost", "order.lost")
    event(run, "paid", "order.paid", "e2", order=1)
    assert run.state.vars == {"end": "lost"}


def test_a_guard_refuses_an_event_and_the_next_one_is_taken() -> None:
    edges = [{"from": "s", "to": "sent", "on": "paid", "when": "signal.amount > 10"}]
    run = Run(program_of([state(paid=PAID), put("sent", x=1)], edges)).start({"order": 1})
    event(run, "paid", order=1, amount=5)
    assert run.state.status == "waiting"
    assert event(run, "paid", "order.paid", "e2", order=1, amount=50).state.status == "completed"


def guarded(nodes: int = 1) -> Run:
    """Branches that wait for a payment and take none of 10 or less."""
    names = ["s", "t"][:nodes]
    branches = {
        name: {"nodes": [state(name, paid=PAID), put(f"{name}x", x=1)],
               "edges": [{"from": name, "to": f"{name}x", "on": "paid", "when": "signal.amount > 10"}]}
        for name in names
    }  # fmt: skip
    return Run(program_of([{"id": "p", "type": "parallel", "with": {"branches": branches}}])).start({"order": 1})


def test_a_refused_event_is_told_with_the_values_its_guards_saw() -> None:
    run = event(guarded(), "paid", order=1, amount=5)
    told = explanation_view(ID, run.rows, {1: run.program}, CONTEXT.tenant, {})
    [choice] = told.choices
    assert (choice.kind, choice.node, choice.scope, choice.outcome, choice.event_id) == ("refused", "s", "p/s", "paid", "e1")
    [considered] = choice.considered
    assert considered.condition is not None
    assert (considered.to, considered.taken, considered.condition["children"][0]["value"]) == ("sx", False, 5)
    assert told.because[0].endswith("; 1 event came that its guards refused")


def test_a_refusal_is_told_once_a_visit_and_of_few_events() -> None:
    run = guarded(2)
    for number in range(REFUSED_MOST + 5):
        event(run, "paid", "order.paid", f"e{number}", order=1, amount=number % 10)
        event(run, "paid", "order.paid", f"e{number}", order=1, amount=number % 10)
    refused = [entry for entry, _ in flat(run.rows) if entry.kind == SIGNAL_REFUSED]
    assert [(entry.node, entry.data["signal_id"]) for entry in refused] == [
        (node, f"e{number}") for number in range(REFUSED_MOST) for node in ("s", "t")
    ]
    told = explanation_view(ID, run.rows, {1: run.program}, CONTEXT.tenant, {})
    assert told.because[0].endswith(f"; {REFUSED_MOST} events came that its guards refused, and of further ones nothing is kept")
    happened = happenings(ID, flat(run.rows))
    assert len([one for one in happened if isinstance(one.item, i.DomainEvent)]) == REFUSED_MOST
    again = replay(State(ID, "acme", "test", 1), happened, run.program, CONTEXT)
    assert [msgspec.to_builtins(entry) for entry, _ in flat(again)] == [msgspec.to_builtins(entry) for entry, _ in flat(run.rows)]
    assert event(run, "paid", "order.paid", "e0", order=1, amount=11).state.scopes.keys() == {"p/t"}, "it may still come and be taken"


def test_a_glob_waits_for_every_type_that_it_covers() -> None:
    run = Run(program_of([state(any={"event": "order.*"})])).start()
    assert commands(run, "subscription.open")[0]["waits"] == [{"name": "any", "pattern": "order.*"}]
    event(run, "any", "invoice.paid", "e1")
    assert run.state.status == "waiting"
    assert event(run, "any", "order.shipped", "e2").state.status == "completed"


def test_a_match_on_vars_holds_to_what_they_were_when_the_state_was_entered() -> None:
    match = "event.data.order == vars.order && event.data.amount >= vars.least"
    waits = state(paid={"event": "order.paid", "match": match})
    branches = {"wait": {"nodes": [waits]}, "change": {"nodes": [state("t", go={"event": "go"}), put("c", order="b", least=5)]}}
    fan = {"id": "fan", "type": "parallel", "with": {"branches": branches}}
    run = Run(program_of([fan], vars={"order": "a", "least": 1})).start()
    event(run, "go", "go", "e0")
    event(run, "paid", "order.paid", "e1", order="b", amount=9)
    event(run, "paid", "order.paid", "e2", order="a", amount=4)
    assert run.state.status == "waiting"
    assert event(run, "paid", "order.paid", "e3", order="a", amount=5).state.status == "completed"


def test_an_execution_whose_id_tells_no_time_looks_back_to_its_start() -> None:
    run = Run(program_of([state(paid=PAID)]), state=State(CHILD, "acme", "test", 1), apart=None)
    run.do(i.Start(CHILD, "test", input={"order": 1}, trigger={"type": "call"}))
    [opened] = commands(run, "subscription.open")
    assert opened["since"] == "2026-01-05T09:00:00Z"


def test_a_value_that_cannot_be_looked_up_is_waited_for_by_type_and_compared_when_an_event_comes() -> None:
    match = "has(vars.order) && event.data.order == vars.order"
    branches = {
        "wait": {"nodes": [state(paid={"event": "order.paid", "match": match})]},
        "change": {"nodes": [state("t", go={"event": "go"}), put("c", order="b")]},
    }
    run = Run(program_of([{"id": "fan", "type": "parallel", "with": {"branches": branches}}])).start()
    assert commands(run, "subscription.open")[0]["waits"] == [{"name": "paid", "pattern": "order.paid"}]
    event(run, "paid", "order.paid", "e1", order="b")
    assert run.waits("s").kind == "signal"
    event(run, "go", "go", "e2")
    assert event(run, "paid", "order.paid", "e3", order="b").state.status == "completed"


def test_each_iteration_takes_the_event_with_its_own_value() -> None:
    body = {"nodes": [state(paid={"event": "order.paid", "match": "item.id == event.data.order"})]}
    each = {"id": "each", "type": "foreach", "with": {"items": "{{ input.items }}", "concurrency": 3, "body": body}}
    run = Run(program_of([each], output={"all": "{{ step.each.output }}"})).start({"items": [{"id": 1}, {"id": 2.0}, {"id": "3"}]})
    assert [one["waits"][0]["value"] for one in commands(run, "subscription.open")] == ["1", "2", '"3"']
    for number, order in enumerate(["3", 2, 1.0]):
        event(run, "paid", "order.paid", f"e{number}", order=order, n=number)
    assert run.state.output == {"all": [{"order": 1.0, "n": 2}, {"order": 2, "n": 1}, {"order": "3", "n": 0}]}
    assert len(commands(run, "subscription.close")) == 3


def test_an_event_arrives_once_also_where_a_later_visit_waits_for_the_same() -> None:
    nodes = [state(paid=PAID), state("s2", paid=PAID)]
    run = Run(program_of(nodes, [{"from": "s", "to": "s2", "on": "paid"}])).start({"order": 1})
    event(run, "paid", order=1)
    event(run, "paid", order=1)
    assert (run.state.status, run.state.steps["s2"].status) == ("waiting", "waiting")
    assert event(run, "paid", "order.paid", "e2", order=1).state.status == "completed"


def test_what_started_an_execution_is_no_answer_to_it_and_events_count_from_then_on() -> None:
    run = Run(program_of([state(any={"event": "order.*"})]))
    run.do(i.Start(ID, "test", trigger={"type": "event", "event_id": LATE}))
    event(run, "any", "order.placed", LATE)
    assert run.state.status == "waiting"
    since = commands(run, "subscription.open")[0]["since"]
    assert since < START.isoformat()
    assert UUID(LATE).version == 7


def test_events_during_a_pause_are_held_and_delivered_when_it_ends() -> None:
    run = Run(program_of([state(paid=PAID)])).start({"order": 1}).do(i.Pause(ID))
    event(run, "paid", order=1)
    event(run, "paid", order=1)
    assert (run.state.status, len(run.state.held)) == ("paused", 1)
    assert run.do(i.Resume(ID)).state.steps["s"].output == {"order": 1}


def test_time_a_signal_and_a_cancel_give_the_wait_up_too() -> None:
    program = program_of([state(paid=PAID, signals={"stop": {}}, after={"late": "1h"})])
    ends: list[Callable[[Run], Run]] = [lambda run: run.later(hours=1), lambda run: run.signal("stop"), lambda run: run.do(i.Cancel(ID))]
    for end in ends:
        run = end(Run(program).start({"order": 1}))
        assert run.state.ended
        assert len(commands(run, "subscription.close")) == 1


def test_what_an_event_did_happens_again_when_the_journal_is_replayed() -> None:
    program = program_of([state(paid=PAID), put("a", x="{{ step.s.output.n }}")], [{"from": "s", "to": "a", "on": "paid"}])
    run = event(Run(program).start({"order": 1}), "paid", order=1, n=4)
    again = replay(State(ID, "acme", "test", 1), happenings(ID, flat(run.rows)), program, CONTEXT)
    assert [row.entries for row in again][-1][-1].kind == "execution.completed"
    assert len(flat(again)) == len(flat(run.rows))


def test_a_retry_takes_again_what_came_since_the_moment_it_goes_back_to() -> None:
    nodes = [state(paid=PAID), {"id": "f", "type": "fail", "with": {"code": "no", "message": "no"}}]
    run = event(Run(program_of(nodes)).start({"order": 1}), "paid", order=1, n=5)
    assert run.state.status == "failed"
    retried = retry(ID, run.rows, i.Retry(ID, node="s"), run.now, run.program, CONTEXT)
    assert retried.state is not None
    steps = retried.state.steps
    assert [(steps[node].visit, steps[node].status) for node in ("s", "f")] == [(2, "completed"), (2, "failed")]
    assert (steps["s"].output, retried.state.kept) == ({"order": 1, "n": 5}, ())


def test_a_wait_that_stands_through_a_retry_of_its_neighbour_is_asked_for_again() -> None:
    work = {"id": "w", "type": "activity", "with": {"name": "w"}, "retry": {"attempts": 1}}
    fan = {"id": "fan", "type": "parallel", "with": {"branches": {"s": {"nodes": [state(paid=PAID)]}, "w": {"nodes": [work]}}}}
    run = Run(program_of([fan])).start({"order": 1}).fail("w", permanent=True)
    assert (run.state.status, len(commands(run, "subscription.close"))) == ("failed", 1)
    retried = retry(ID, run.rows, i.Retry(ID), run.now, run.program, CONTEXT)
    assert retried.state is not None
    [again] = [out for out in messages(retried.state, retried.entries, 50, START, 8) if out.item.type == "subscription.open"]
    assert msgspec.json.decode(bytes(again.item.data))["visit"] == 1
