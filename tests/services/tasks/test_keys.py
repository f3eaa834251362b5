"""API keys among people: whose they are, where people are told apart. Decisions, without a database."""

from dataclasses import replace

import pytest
from weft_contracts.tasks import TaskDecided
from weft_contracts.waits import CompleteStep
from weft_tasks import access, domain
from weft_tasks.errors import AlreadyDecided, Separated
from weft_tasks.task import Who

from tests.services.tasks.test_decisions import ANN, BOB, NOW, opened
from tests.services.tasks.test_several import TWO_OF_THREE, decided


def test_a_person_and_the_keys_they_made_count_as_one_and_both_are_written_down() -> None:
    key, other = (Who(id_, roles=("service",), owner="ann-id") for id_ in ("key-1", "key-2"))
    claimed = domain.claim(opened(approvals=TWO_OF_THREE), key, None, NOW).state.task
    once = decided(claimed, (key, "approved"))
    for again in (ANN, other, key):
        with pytest.raises(AlreadyDecided):
            domain.complete(once.state.task, again, "approved", None, None, NOW)
    (said,) = once.says
    assert isinstance(said, TaskDecided)
    assert (said.decided_by, said.decided_via) == ("ann-id", "key-1")
    entry = once.state.entry
    assert entry is not None
    assert (entry.by, entry.data["via"]) == ("ann-id", "key-1")
    apart = replace(opened(), kept_apart={"ann-id": "first"})
    for who in (ANN, key, other):
        with pytest.raises(Separated):
            domain.claim(apart, who, None, NOW)
    assert access.allowed_actions(apart, key) == ["comment"]
    last = decided(once.state.task, (BOB, "approved"))
    step = last.says[1]
    assert isinstance(step, CompleteStep)
    told = [(one["completed_by"], one.get("completed_via")) for one in step.output["approvals"]]
    assert (told, "completed_via" in step.output) == ([("ann-id", "key-1"), ("bob-id", None)], False)


def test_a_key_acts_on_no_task_because_it_is_its_owners() -> None:
    key = Who("key-1", roles=("service",), owner="ann-id")
    assert access.allowed_actions(opened(assignee="ann-id"), key) == []
    assert access.allowed_actions(opened(assignee="ann-id"), ANN) == ["claim", "complete", "delegate", "snooze", "comment"]
