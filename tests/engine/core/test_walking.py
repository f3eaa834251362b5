"""The way an execution took: its end tells which nodes it visited, and how long each ran and waited."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from weft_contracts.executions import ExecutionCompleted
from weft_contracts.walks import PATH_GOES_ON, PATH_MOST, STEPS_MOST, bucket_of, lengthened, shortened
from weft_engine.core import items as i
from weft_engine.core.messages import messages
from weft_engine.core.rewinding import retry
from weft_engine.core.walking import onward, told

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of
from tests.engine.core.test_waiting import put

ENDS = ("execution.completed", "execution.failed", "execution.cancelled")


def work(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "activity", "with": {"name": "price"}, **more}


def said(run: Run) -> list[dict[str, Any]]:
    return [msgspec.json.decode(bytes(out.item.data)) for out in run.outgoing if out.item.type in ENDS]


def ends(run: Run) -> list[dict[str, Any]]:
    """What ends say, with the path and the numbers that a short text stands for."""
    return [{**end, **_lengthened(end["walk"])} if "walk" in end else end for end in said(run)]


def _lengthened(walk: str) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(zip(("path", "steps"), lengthened(walk), strict=True))))
    return shown


def steps(run: Run) -> dict[str, list[Any]]:
    return {name: numbers for name, *numbers in ends(run)[-1]["steps"]}


def times(*seconds: float) -> list[int]:
    return [number for one in seconds for number in (bucket_of(round(one * 1000)), 1)]


def test_each_node_tells_how_long_it_ran_and_what_came_before_it() -> None:
    run = Run(program_of([put("n", x=1), work("a"), {"id": "t", "type": "task", "with": {"title": "T"}}])).start()
    run.later(seconds=2)
    run.complete("a").later(minutes=10)
    run.do(i.CompleteStep(ID, "t", 1, "done", None))
    assert ends(run)[0]["path"] == ["n", "a", "t"]
    assert steps(run) == {
        "n": [1, 0, 0, 0, times(0), []], "a": [1, 0, 0, 0, times(2), []], "t": [1, 0, 0, 0, times(0), times(600)],
    }  # fmt: skip
    word = ExecutionCompleted.model_validate_json(bytes(run.outgoing[-1].item.data))
    assert (word.walk, word.path, word.steps) == (f"n:0 a:{bucket_of(2000)} t:0/{bucket_of(600_000)}", (), ())


def test_a_way_that_is_not_the_plainest_tells_path_and_numbers() -> None:
    again = {"attempts": 2, "delay": "10s", "jitter": False, "factor": 1}
    run = Run(program_of([work("a", retry=again), work("b")])).start().fail("a").later(seconds=10).complete("a").complete("b")
    assert (said(run)[0].get("walk"), said(run)[0]["path"], len(said(run)[0]["steps"])) == (None, ["a", "b"], 2)


@given(
    st.lists(
        st.tuples(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,63}", fullmatch=True), *[st.integers(0, 10**11)] * 2),
        min_size=1, max_size=PATH_MOST, unique_by=lambda visit: visit[0],
    )
)  # fmt: skip
def test_the_text_of_a_plain_way_says_what_path_and_numbers_would(visits: list[tuple[str, int, int]]) -> None:
    path, steps = lengthened(shortened(visits))
    assert path == tuple(node for node, *_ in visits)
    assert steps == tuple(
        (node, 1, 0, 0, 0, (bucket_of(run_ms), 1), (bucket_of(wait_ms), 1) if wait_ms else ()) for node, run_ms, wait_ms in visits
    )


@pytest.mark.parametrize("walk", ["", "a", "a:", "a:x", "a:1 ", "a:1  b:2", "a:1/", "a:-1", "a:1/2/3", "a:1\nb:2"])
def test_a_text_that_tells_no_way_is_refused_at_the_door(walk: str) -> None:
    run = Run(program_of([work("a")])).start().complete("a")
    with pytest.raises(ValidationError):
        ExecutionCompleted.model_validate({**said(run)[0], "walk": walk})


def test_the_time_until_a_next_attempt_is_waiting_and_attempts_are_counted() -> None:
    again = {"attempts": 3, "delay": "10s", "jitter": False, "factor": 1}
    run = Run(program_of([work("a", retry=again)])).start().later(seconds=1).fail("a").later(seconds=10).later(seconds=3).complete("a")
    assert steps(run) == {"a": [1, 0, 0, 1, times(4), times(10)]}


def test_what_is_tried_again_as_a_whole_is_one_visit_of_all_that_time() -> None:
    group = {
        "id": "g",
        "type": "group",
        "retry": {"attempts": 2, "delay": "10s", "jitter": False},
        "with": {"nodes": [work("a", retry={"attempts": 1})]},
    }
    run = Run(program_of([group])).start().later(seconds=1).fail("a").later(seconds=10).later(seconds=2).complete("a")
    assert steps(run) == {"g": [1, 0, 0, 1, times(3), times(10)], "a": [1, 1, 0, 0, times(1, 2), []]}
    assert ends(run)[0]["path"] == ["g", "a"]


def test_every_item_of_a_foreach_counts_in_whatever_order_they_end_and_the_path_tells_the_node_around_them() -> None:
    each = {"id": "f", "type": "foreach", "with": {"items": "{{ [1, 2, 3] }}", "concurrency": 3, "body": {"nodes": [work("a")]}}}
    run = Run(program_of([each, work("b")])).start().later(seconds=1)
    for visit in (3, 1, 2):
        run.later(seconds=visit).do(i.ActivityCompleted(ID, "a", visit, 1, "done", None))
    run.complete("b")
    assert steps(run)["a"][:4] == [3, 0, 0, 0]
    assert sorted(steps(run)["a"][4][::2]) == sorted(times(4, 5, 7)[::2])
    assert ends(run)[0]["path"] == ["f", "b"]


def test_an_end_after_a_retry_by_hand_tells_what_came_since_the_end_before() -> None:
    program = program_of([work("a"), work("b", retry={"attempts": 1})])
    run = Run(program, apart=None).start().later(seconds=1).complete("a").later(seconds=2).fail("b")
    assert (steps(run)["a"][0], steps(run)["b"][:2]) == (1, [0, 1])
    run.later(hours=1)
    retried = retry(ID, run.rows, i.Retry(ID), run.now, program, CONTEXT)
    assert retried.state is not None
    run.state = retried.state
    run.rows.append(type(run.rows[0])(run.state.position - len(retried.entries), run.now, list(retried.entries)))
    run.later(seconds=4).complete("b")
    assert (ends(run)[1]["path"], steps(run)) == (["a", "b"], {"b": [1, 0, 0, 0, times(4), []]})


def test_an_end_that_is_said_again_later_tells_nothing_of_the_time_since() -> None:
    run = Run(program_of([work("a")])).start().complete("a")
    row = run.rows[-1]
    assert msgspec.json.decode(bytes(messages(run.state, row.entries, row.position, row.at, 8)[-1].item.data))["walk"] == "a:0"
    run.state.position += 1
    told_later = msgspec.json.decode(bytes(messages(run.state, row.entries, row.position, row.at, 8)[-1].item.data))
    assert not {"walk", "path", "steps"} & told_later.keys()


def test_what_is_taken_back_is_told_as_cancelled() -> None:
    run = Run(program_of([work("a")])).start().later(seconds=5).do(i.Cancel(ID))
    assert steps(run) == {"a": [0, 0, 1, 0, [], []]}


def test_a_path_and_what_is_told_of_nodes_are_bounded() -> None:
    path: tuple[str, ...] = ()
    for number in range(2 * PATH_MOST):
        path = onward(onward(path, f"n{number}"), f"n{number}")
    assert (len(path), path[-1], path[:2]) == (PATH_MOST + 1, PATH_GOES_ON, ("n0", "n1"))
    assert len(told({(f"n{number}", "completed", 0): 1 for number in range(2 * STEPS_MOST)}, {})) == STEPS_MOST
