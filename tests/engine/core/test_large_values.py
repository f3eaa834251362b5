"""Large values in the pure core: named where they stood, asked for when they are read, refused over 1 MiB."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.apply import apply
from weft_engine.core.claiming import claim, opened
from weft_engine.core.claims import INLINE_BYTES, Claimed, ContentLost, Values, Wanted
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row, decode, encode, encode_claiming
from weft_engine.core.ledger import request_hash
from weft_engine.core.rewinding import retry

from tests.engine.core.conftest import CONTEXT, ID, START, Run, program_of
from tests.engine.core.test_retrying import again

LARGE = {"rows": ["x" * 1000] * 100, "n": 7}
PLACES = [
    ("step.completed", {"output": LARGE}),
    ("execution.started", {"input": LARGE, "trigger": {"type": "webhook", "payload": LARGE, "request": {"body": "y" * 70_000}}}),
    ("vars.set", {"vars": {"a": LARGE, "b": 1}}),
    ("scope.entered", {"items": [LARGE]}),
    ("undo.recorded", {"request": {"name": "n", "queue": "q", "input": LARGE}}),
    ("step.waiting", {"kind": "task", "task": {"title": "t", "data": LARGE}}),
    ("signal.kept", {"signal_id": "s", "name": "go", "payload": LARGE}),
    ("item.held", {"type": "step.complete", "item": {"output": LARGE}}),
    ("event.published", {"type": "t", "data": LARGE}),
]


@pytest.mark.parametrize(("kind", "data"), PLACES, ids=[kind for kind, _ in PLACES])
def test_a_large_value_leaves_its_entry_and_comes_back_in_its_place(kind: str, data: dict[str, Any]) -> None:
    entry = Entry(kind, "a", 1, 0, data)
    kept = claim([entry])
    body = encode_claiming(kept.entries)
    row = Row(0, START, decode(body))

    assert len(body) < 1000
    assert list(opened([row], kept.contents)) == [Row(0, START, [entry])]
    assert encode(opened([row], kept.contents)[0].entries) == encode([entry])


def test_a_value_of_64_kib_stays_and_one_byte_more_leaves() -> None:
    stays, leaves = "x" * (INLINE_BYTES - 2), "x" * (INLINE_BYTES - 1)

    assert claim([Entry("step.completed", "a", 1, 0, {"output": stays})]).contents == {}
    assert len(claim([Entry("step.completed", "a", 1, 0, {"output": leaves})]).contents) == 1


def test_data_that_looks_like_a_reference_is_only_data() -> None:
    entry = Entry("step.completed", "a", 1, 0, {"output": {"claims": [[["output"], "sha256:0", 1, "sha256:0", None]], "$blob": "sha256:0"}})

    assert decode(encode(claim([entry], over=10_000).entries)) == [entry]


def test_what_is_kept_apart_cannot_be_written_unnamed() -> None:
    with pytest.raises(TypeError):
        encode([Entry("step.completed", "a", 1, 0, {"output": Claimed("sha256:0", 70_000, "sha256:0")})])


def test_a_request_has_one_hash_whether_its_input_is_kept_apart_or_not() -> None:
    data = {"name": "n", "queue": "q", "input": LARGE}
    apart = claim([Entry("step.scheduled", "a", 1, 1, data)]).entries[0].data

    assert isinstance(apart["input"], Claimed)
    assert request_hash("activity", apart) == request_hash("activity", data)
    assert request_hash("activity", apart) == request_hash("activity", {**data, "input": dict(reversed(LARGE.items()))})
    assert request_hash("activity", apart) != request_hash("activity", {**data, "input": {**LARGE, "n": 8}})


def reading(expression: str) -> tuple[Run, Context]:
    """An execution with a large output behind it, which goes on by an expression; nothing of it is at hand."""
    nodes: list[dict[str, Any]] = [
        {"id": "big", "type": "activity", "with": {"name": "big"}},
        {"id": "rest", "type": "state", "with": {"signals": {"go": {}}}},
        {"id": "read", "type": "transform", "with": {"expression": expression}},
    ]
    run = Run(program_of(nodes, output={"read": "{{ step.read.output }}"})).start().complete("big", LARGE)
    assert run.apart is not None
    run.apart.asked_for.clear()
    return run, Context({"id": "acme", "tier": "standard", "settings": {}})


@pytest.mark.parametrize(
    ("expression", "asks"),
    [("step.big.output.n", 1), ("size(step.big.output.rows)", 1), ("step.big.status", 0), ("1", 0)],
)
def test_a_value_is_asked_for_only_by_what_reads_it(expression: str, asks: int) -> None:
    run, _ = reading(expression)
    run.signal("go")
    assert run.state.status == "completed", run.state.error
    assert run.apart is not None and {"read": run.state.output["read"]} == run.state.output

    kept = [row for row in run.apart.rows if any(claim.size_bytes > INLINE_BYTES for entry in row.entries for claim in entry.claims)]
    assert len(kept) == 1
    large = {claim.id for entry in kept[0].entries for claim in entry.claims if claim.size_bytes > INLINE_BYTES}
    assert len(large & run.apart.asked_for) == asks


def test_a_transition_that_lacks_a_value_leaves_the_state_as_it_was_and_one_that_is_lost_says_so() -> None:
    run, context = reading("step.big.output.n")
    assert run.apart is not None
    state, before = run.apart.state, repr(run.apart.state)

    with pytest.raises(Wanted) as wanted:
        apply(state, i.Signal(ID, "s", "go"), START, run.program, context)
    assert repr(state) == before
    with pytest.raises(ContentLost, match="not kept any more"):
        Values({wanted.value.claimed.id: b""}).open(wanted.value.claimed)


@pytest.mark.parametrize("event", [False, True])
def test_a_large_item_that_comes_twice_during_a_pause_is_held_once_and_then_taken(event: bool) -> None:
    rest = {"signals": {"go": {}}, "events": {"heard": {"event": "a.b"}}}
    nodes: list[dict[str, Any]] = [
        {"id": "rest", "type": "state", "with": rest},
        {"id": "n", "type": "set", "with": {"n": "{{ step.rest.output.n }}"}},
    ]
    run = Run(program_of(nodes, output={"n": "{{ vars.n }}"})).start().do(i.Pause(ID))
    heard = i.DomainEvent(ID, "one", "heard", {"id": "one", "type": "a.b", "data": LARGE})
    item = heard if event else i.Signal(ID, "one", "go", LARGE)
    if event:
        run.do(i.Signal(ID, "zero", "go", {**LARGE, "n": 8}))
    run.do(item)
    rows = len(run.rows)
    run.do(item)
    assert len(run.rows) == rows
    run.do(i.Resume(ID))

    assert run.state.output == {"n": 8 if event else 7}


def test_a_large_signal_that_came_early_is_checked_and_guarded_by_what_it_carries() -> None:
    schema = {"type": "object", "required": ["rows"], "properties": {"n": {"type": "integer"}}}
    nodes: list[dict[str, Any]] = [
        {"id": "wait", "type": "activity", "with": {"name": "wait"}},
        {"id": "rest", "type": "state", "with": {"signals": {"go": {"schema": schema}}}},
        {"id": "end", "type": "end", "with": {"output": "{{ step.rest.output.n }}"}},
    ]
    edges = [{"from": "wait", "to": "rest"}, {"from": "rest", "to": "end", "on": "go", "when": "signal.n == 8"}]
    run = Run(program_of(nodes, edges)).start().signal("go", LARGE).signal("go", {**LARGE, "n": 8}, "second").complete("wait", 1)

    assert (run.state.status, run.state.output) == ("completed", 8)


def test_a_retry_from_before_anything_large_takes_large_outputs_from_the_ledger() -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "a", "type": "activity", "with": {"name": "a"}},
        {"id": "b", "type": "activity", "with": {"name": "b", "input": "{{ step.a.output.n }}"}},
    ]
    run = Run(program_of(nodes)).start().complete("a", LARGE).fail("b", permanent=True)
    beside = run.apart
    assert beside is not None
    retried = beside.given(CONTEXT, lambda context: retry(ID, beside.rows, i.Retry(ID, "a"), run.now, run.program, context))
    assert retried.state is not None and retried.state.large
    again(run, "a")

    assert run.waits("b").data["input"] == 7
    assert run.apart is not None and isinstance(run.apart.state.steps["a"].output, Claimed)


def test_what_many_expressions_make_together_is_refused_over_1_mib() -> None:
    values = {f"v{number}": "{{ input.text }}" for number in range(6)}
    for type_, with_ in (("set", values), ("transform", {"map": values}), ("end", {"output": values})):
        run = Run(program_of([{"id": "much", "type": type_, "with": with_}]), apart=None).start({"text": "x" * 200_000})
        assert (run.state.status, (run.state.error or {})["code"]) == ("failed", "output_too_large")
    little: list[dict[str, Any]] = [{"id": "little", "type": "set", "with": {"x": 1}}]
    run = Run(program_of(little, output=values), apart=None).start({"text": "x" * 200_000})
    assert (run.state.status, (run.state.error or {})["code"]) == ("failed", "output_too_large")


def test_outputs_of_scopes_are_refused_over_1_mib_without_being_read() -> None:
    body = {"nodes": [{"id": "one", "type": "activity", "with": {"name": "one"}}]}
    each = {"id": "each", "type": "foreach", "with": {"items": "{{ [1, 2, 3] }}", "concurrency": 3, "body": body}}
    run = Run(program_of([each])).start()
    for _ in range(3):
        run.complete("one", "x" * 400_000)

    assert (run.state.status, (run.state.error or {})["code"]) == ("failed", "output_too_large")
    assert run.apart is not None and not any(run.apart.contents[id_].startswith(b'"xxx') for id_ in run.apart.asked_for)
