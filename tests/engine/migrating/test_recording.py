"""A recorded execution that went on by other versions happens again with all of them, and says which one it lacks."""

from __future__ import annotations

from typing import Any

import pytest
from weft_engine.core import items as i
from weft_engine.core.evolve import flat
from weft_engine.core.recording import replayed, versions
from weft_engine.core.simulating import answers_of
from weft_language.compilation import Program

from tests.engine.core.conftest import ID, Run
from tests.engine.core.test_replaying import recorded
from tests.engine.migrating.conftest import back, retry_by, to, version

WORK: dict[str, Any] = {"type": "activity", "with": {"name": "work"}}


def stops(number: int, node: str) -> Program:
    """A step, then a failure."""
    return version(number, [{"id": node, **WORK}, {"id": "stop", "type": "fail", "with": {"code": "no", "message": "no"}}])


def story(run: Run, *programs: Program) -> dict[str, Any]:
    """What `weft execution export` writes: the definition of each version, by number as JSON has it."""
    told = recorded(run)
    del told["definition"]
    return {**told, "definitions": {str(program.version): dict(program.definition) for program in programs}}


def test_a_migrated_execution_happens_again_by_all_its_versions() -> None:
    one, two, three = stops(1, "a"), stops(2, "b"), stops(3, "c")
    run = Run(one).start()
    to(run, two)
    back(run, one)
    to(run, three)
    run.do(i.ActivityCompleted(ID, "a", 1, 1, "done", 7))
    told = story(run, one, two, three)
    assert versions(told["journal"]) == [1, 2, 3]
    again = replayed(told)
    assert (again.status, again.error and again.error["code"], again.path, again.differs_at) == ("failed", "no", ["c", "stop"], None)
    del told["definitions"]["3"]
    with pytest.raises(LookupError, match="among `others`"):
        replayed(told)


def test_what_answered_a_node_answers_it_by_each_of_its_names() -> None:
    one, two = stops(1, "a"), stops(2, "b")
    run = Run(one).start()
    to(run, two)
    run.do(i.ActivityCompleted(ID, "a", 1, 1, "done", 7))
    before = answers_of(flat(run.rows))
    assert [before[name, 1].output for name in ("a", "b")] == [7, 7]


def test_an_execution_that_was_retried_by_another_version_happens_again() -> None:
    one, two = stops(1, "a"), version(2, [{"id": "a", **WORK}, {"id": "stop", "type": "set", "with": {"mended": True}}])
    run = Run(one).start().complete("a", 7)
    assert run.state.status == "failed"
    retry_by(run, two, i.Retry(ID, workflow_version=2))
    assert run.state.status == "completed"
    told = story(run, one, two)
    assert versions(told["journal"]) == [1, 2]
    again = replayed(told)
    assert (again.status, again.differs_at) == ("completed", None)
