"""Enhancement beside everything else that happens: pauses, cancels, timeouts, retries, migrations, undoing; and what is told of it."""

from __future__ import annotations

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.ledger import effects
from weft_engine.views import effect_views, step_views

from tests.engine.core.conftest import ID, Run
from tests.engine.core.enhanced import INPUT, PLAIN, PREMIUM, WORK, answer, asked, enhanced, refuse, run, step, told
from tests.engine.core.test_replaying import same_again
from tests.engine.core.test_retrying import again
from tests.engine.migrating.conftest import to, verdict_of, version


def test_a_pause_puts_the_time_of_an_enhancement_off_and_keeps_its_answer() -> None:
    paused = run(enhanced(PLAIN)).start().do(i.Pause(ID, user="u"))
    answer(paused, "better")
    assert paused.state.status == "paused"
    paused.later(hours=1)
    done = paused.do(i.Resume(ID, user="u"))
    assert (done.state.status, step(done).output) == ("completed", "better")

    slow = run(enhanced(PLAIN)).start().do(i.Pause(ID, user="u"))
    slow.later(hours=1).do(i.Resume(ID, user="u"))
    assert slow.later(seconds=4).waits("a").kind == "enhancing"
    assert told(slow.later(seconds=1)) == (False, "late")


def test_a_cancel_ends_it_with_everything_else() -> None:
    done = run(enhanced(PLAIN)).start().do(i.Cancel(ID))
    after = answer(done, "better")

    assert (after.state.status, step(after).status, step(after).enhancement) == ("cancelled", "cancelled", None)
    same_again(done)


def test_a_group_that_is_over_takes_an_enhancement_inside_it_back() -> None:
    group = {"id": "g", "type": "group", "timeout": "3s", "with": {"nodes": [enhanced(PLAIN)]}}
    done = run(group).start().later(seconds=3)

    assert (done.state.status, step(done, "g").error["code"], step(done).status) == ("failed", "timeout", "cancelled")


def test_the_nodes_own_work_has_all_of_its_timeout_and_an_answer_to_it_is_not_one_to_the_model() -> None:
    waits = run(enhanced({**WORK, "timeout": "10s"}, schema=INPUT, apply="input")).start().later(seconds=5)
    assert waits.waits("a").kind == "activity"
    waits.later(seconds=9)
    stale = waits.do(i.ActivityCompleted(ID, "a.enhance", 1, 1, "done", {"result": {"input": 1}}))
    assert stale.waits("a").kind == "activity"
    assert (stale.later(seconds=1).state.error or {})["code"] == "timeout"

    own_answer = run(enhanced(WORK)).start().do(i.ActivityCompleted(ID, "a", 1, 1, "done", "not asked yet"))
    assert own_answer.waits("a").kind == "enhancing"


def test_work_that_ended_in_time_may_be_enhanced_though_an_engine_that_was_away_looks_after_its_timeout() -> None:
    wait = {"id": "w", "type": "wait", "with": {"for": "1m"}}
    group = enhanced({"id": "a", "type": "group", "timeout": "2m", "with": {"nodes": [wait]}}, "output")
    late = run(group).start().later(hours=1)
    assert (late.waits("a").kind, asked(late)[-1][0]) == ("enhancing", "a.enhance")
    assert step(answer(late, "better")).output == "better"


def test_the_deadline_of_its_attempts_counts_from_its_own_work() -> None:
    node = enhanced({**WORK, "retry": {"attempts": 3, "delay": "10s", "deadline": "12s", "jitter": False}}, "input", schema=INPUT)
    failed = run(node).start().later(seconds=5).fail("a")
    assert (failed.state.status, failed.waits("a").kind) == ("running", "retry")


def test_further_attempts_ask_with_the_same_input_and_another_visit_asks_the_model_anew() -> None:
    node = enhanced({**WORK, "retry": {"attempts": 2, "delay": "1s", "jitter": False}}, "input", schema=INPUT)
    tried = answer(run(node).start(), {"input": "better"}).fail("a").later(seconds=1)

    assert (tried.waits("a").data["input"], tried.waits("a").attempt, len(asked(tried))) == ("better", 2, 3)
    done = tried.complete("a", 1)
    assert (done.state.status, told(done), step(done).attempts) == ("completed", (True, None), 2)


def test_what_a_model_did_in_the_place_of_the_node_is_not_undone() -> None:
    undone = {"compensate": {"type": "activity", "with": {"name": "undo"}}}
    fails = {"id": "f", "type": "fail", "with": {}}
    replaced = answer(run({**enhanced(WORK), **undone}, fails, settings={"on_failure": "compensate"}).start(), 1)
    own = refuse(run({**enhanced(WORK), **undone}, fails, settings={"on_failure": "compensate"}).start(), "ai_refused").complete("a", 1)

    assert (replaced.state.status, own.waits("a.compensate").data["name"]) == ("failed", "undo")


def test_a_retry_that_goes_back_takes_what_was_done_and_asks_no_model_again() -> None:
    fails = {"id": "f", "type": "activity", "retry": {"attempts": 1}, "with": {"name": "f"}}
    before = {"id": "s", "type": "set", "with": {"v": 1}}
    runs = [
        answer(run(before, enhanced(WORK), fails).start(), "better"),
        answer(run(before, enhanced(WORK, "input", schema=INPUT), fails).start(), {"input": "better"}).complete("a", "sent"),
        answer(run(before, enhanced(WORK, "output"), fails).start().complete("a", "sent"), "better"),
    ]
    for one in runs:
        known = len(asked(one))
        output = step(one).output
        back = again(one.fail("f"), "s")
        assert (step(back).visit, step(back).output, len(asked(back)) - known) == (2, output, 1)
        assert back.complete("f").state.status == "completed"


def test_a_retry_of_an_execution_that_failed_after_an_enhancement_begins_the_visit_anew() -> None:
    bad = {"id": "a", "type": "transform", "with": {"expression": "input.nothing.at.all"}}
    failed = refuse(run(enhanced(bad)).start(), "ai_refused")
    assert (failed.state.status, told(failed)) == ("failed", (False, "refused"))
    back = again(failed)
    assert [one.status for one in step_views(ID, back.rows, back.program)] == ["failed", "waiting"]
    assert answer(back, 1, visit=2).state.status == "completed"


def test_every_asking_of_a_model_is_an_effect_of_its_own() -> None:
    done = answer(run(enhanced(WORK, "output")).start().complete("a", "own"), "better")
    refused = refuse(run(enhanced(WORK)).start(), "ai_refused").complete("a", "own")

    assert [(one.node, one.kind, one.status) for one in effects(flat(done.rows))] == [
        ("a", "activity", "done"), ("a.enhance", "enhancement", "done"),
    ]  # fmt: skip
    assert [(one.node, one.kind, one.status) for one in effects(flat(refused.rows))] == [
        ("a.enhance", "enhancement", "failed"), ("a", "activity", "done"),
    ]  # fmt: skip
    assert [one.key for one in effect_views(ID, done.rows)] == [f"{ID}:a:1", f"{ID}:a.enhance:1"]


@pytest.mark.parametrize("apply", ["replace", "output"])
def test_an_execution_that_is_migrated_meanwhile_takes_the_answer_under_its_old_name(apply: str) -> None:
    waits = Run(version(1, [enhanced(PLAIN, apply)]), context=PREMIUM).start()
    moved = to(waits, version(2, [enhanced({**PLAIN, "id": "z"}, apply)]), {"a": "z"})
    assert verdict_of(moved)[0] != "blocked"
    done = answer(waits, "better")
    assert (done.state.status, step(done, "z").output, told(done, "z")) == ("completed", "better", (True, None))


def test_a_version_that_enhances_otherwise_lets_the_own_work_stand() -> None:
    waits = Run(version(1, [enhanced(PLAIN)]), context=PREMIUM).start()
    to(waits, version(2, [PLAIN]))
    done = answer(waits, "better")
    assert (done.state.status, step(done).output, told(done)) == ("completed", "own", (False, "migrated"))


def test_each_iteration_has_an_enhancement_of_its_own() -> None:
    each = {"id": "e", "type": "foreach", "with": {"items": [1, 2], "concurrency": 2, "body": {"nodes": [enhanced(PLAIN)]}}}
    waits = run(each).start()
    done = answer(answer(waits, "two", visit=2), "one", visit=1)

    assert (done.state.status, step(done, "e").output) == ("completed", ["one", "two"])
    same_again(done)
