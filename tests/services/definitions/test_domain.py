"""What becomes of a workflow, decided without a database."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.executions import ExecutionCompleted, ExecutionStarted
from weft_definitions import domain
from weft_definitions.domain import Change, Content, ExecutionFact, Version, Workflow
from weft_definitions.errors import EditedSince, ExecutionsLive, IllegalMove, SlugMismatch
from weft_definitions.machine import WorkflowStatus

from tests.services.definitions.documents import definition

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def content(slug: str = "greet", name: str = "Greet") -> Content:
    return Content(slug, name, "", {}, ("manual",), definition(slug, name=name))


def draft() -> Change:
    return domain.create(content(), "ann", NOW)


def version(change: Change) -> Version:
    assert change.version is not None
    return change.version


def published() -> tuple[Workflow, Version]:
    change = domain.publish(draft().workflow, version(draft()), "ann", NOW).state
    return change.workflow, version(change)


def test_a_new_workflow_is_a_draft_at_version_one_that_nobody_is_told_of() -> None:
    change = draft()
    assert (change.workflow.status, change.workflow.version, change.workflow.revision, version(change).published_at) == (
        "draft",
        1,
        0,
        None,
    )


def test_publishing_tells_all_that_others_need() -> None:
    decision = domain.publish(draft().workflow, version(draft()), "ann", LATER, "first")
    [word] = decision.says
    assert (word.slug, word.revision, word.status, word.active_version, word.definition) == ("greet", 1, "active", 1, definition())  # type: ignore[attr-defined]
    assert version(decision.state).note == "first"


def test_publishing_what_is_active_already_changes_and_says_nothing() -> None:
    workflow, active = published()
    again = domain.publish(workflow, active, "bob", LATER)
    assert (again.state.changed, again.says) == (False, ())


def test_an_unpublished_draft_is_replaced_and_a_published_version_is_followed() -> None:
    first = draft()
    replaced = domain.revise(first.workflow, version(first), content(name="Other"), "bob", LATER)
    assert (replaced.workflow.version, version(replaced).number, version(replaced).created_by) == (1, 1, "bob")
    workflow, active = published()
    followed = domain.revise(workflow, active, content(name="Other"), "bob", LATER)
    assert (followed.workflow.version, followed.workflow.active_version, version(followed).published_at) == (2, 1, None)


def test_the_same_definition_again_changes_nothing() -> None:
    workflow, active = published()
    assert domain.revise(workflow, active, content(), "bob", LATER) == Change(workflow, changed=False)


def test_a_definition_of_another_slug_is_refused() -> None:
    workflow, active = published()
    with pytest.raises(SlugMismatch):
        domain.revise(workflow, active, content("other"), "bob", LATER)


def test_deactivating_and_activating_keep_the_active_version_and_count_revisions() -> None:
    workflow, active = published()
    off = domain.switch(workflow, active, "deactivate", LATER)
    on = domain.switch(off.state.workflow, active, "activate", LATER)
    assert [word.status for word in (*off.says, *on.says)] == ["inactive", "active"]  # type: ignore[attr-defined]
    assert (on.state.workflow.revision, on.state.workflow.active_version) == (3, 1)
    assert domain.switch(on.state.workflow, active, "activate", LATER).says == ()


@pytest.mark.parametrize("move", ["activate", "deactivate"])
def test_a_draft_cannot_be_switched(move: str) -> None:
    with pytest.raises(IllegalMove, match="what can be done now: publish, archive"):
        domain.switch(draft().workflow, None, move, LATER)


def test_a_workflow_with_live_executions_is_deleted_only_to_drain() -> None:
    workflow, active = published()
    with pytest.raises(ExecutionsLive) as refused:
        domain.archive(workflow, active, 2, drain=False, now=LATER)
    assert refused.value.extra == {"live_executions": 2}
    [word] = domain.archive(workflow, active, 2, drain=True, now=LATER).says
    assert word.status == "archived"  # type: ignore[attr-defined]


def test_a_draft_is_deleted_without_a_word_and_twice_is_once() -> None:
    gone = domain.archive(draft().workflow, None, 0, drain=False, now=LATER)
    assert (gone.state.workflow.status, gone.says) == (WorkflowStatus.ARCHIVED, ())
    assert not domain.archive(gone.state.workflow, None, 0, drain=False, now=LATER).state.changed


def test_nothing_changes_an_archived_workflow() -> None:
    workflow, active = published()
    gone = domain.archive(workflow, active, 0, drain=False, now=LATER).state.workflow
    for attempt in (
        lambda: domain.revise(gone, active, content(name="x"), "bob", LATER),
        lambda: domain.publish(gone, active, "bob", LATER),
        lambda: domain.switch(gone, active, "activate", LATER),
        lambda: domain.roll_back(gone, active, content(), "bob", LATER),
    ):
        with pytest.raises(IllegalMove):
            attempt()


def test_rolling_back_publishes_the_old_definition_as_a_new_version() -> None:
    workflow, first = published()
    second = domain.revise(workflow, first, content(name="Other"), "bob", LATER)
    live = domain.publish(second.workflow, version(second), "bob", LATER).state.workflow
    back = domain.roll_back(live, first, content(), "bob", LATER)
    assert (back.state.workflow.version, back.state.workflow.active_version, back.state.workflow.name) == (3, 3, "Greet")
    assert (version(back.state).document, version(back.state).note) == (first.document, "version 1 again")


def test_a_change_to_a_state_that_has_passed_is_refused() -> None:
    workflow, _ = published()
    domain.require_match(workflow, None)
    domain.require_match(workflow, workflow.etag)
    with pytest.raises(EditedSince):
        domain.require_match(workflow, "1")


def started(number: int) -> ExecutionFact:
    return ExecutionStarted(execution_id=UUID(int=number), workflow="w", workflow_version=1, position=0, at=NOW, trigger_type="manual")


def ended(number: int) -> ExecutionFact:
    fields = {"execution_id": UUID(int=number), "workflow": "w", "workflow_version": 1, "position": 9, "at": NOW, "started_at": NOW}
    return ExecutionCompleted.model_validate(fields | {"duration_ms": 5})


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 5))), st.integers(0, 12))
def test_what_runs_is_the_same_however_the_facts_were_batched(order: list[tuple[str, int]], cut: int) -> None:
    times = Counter[tuple[str, int]]()
    facts: list[tuple[str, ExecutionFact]] = []
    for tenant, number in order:
        times[tenant, number] += 1
        if times[tenant, number] <= 2:
            facts.append((tenant, started(number) if times[tenant, number] == 1 else ended(number)))
    live: set[tuple[str, UUID]] = set()
    for batch in (facts[:cut], facts[cut:]):
        added, removed = domain.count(batch)
        live = (live | {(tenant, execution) for tenant, execution, _ in added}) - set(removed)
    assert live == {(tenant, UUID(int=number)) for (tenant, number), count in times.items() if count == 1}
