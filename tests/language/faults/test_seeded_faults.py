"""Faults seeded into sound documents: each is found, with its code, at its place."""

from typing import Any, NamedTuple

import pytest
from weft_language import validate
from weft_language.finding_codes import CODES

from tests.language.build import edge, node
from tests.language.faults.documents import ALL, REMOVED, seeded
from tests.language.faults.faults_of_types import TYPES
from tests.language.faults.faults_of_work import WORK


class Fault(NamedTuple):
    """One fault: a sound document, what is put where, and the finding it must give."""

    base: str
    changes: dict[str, Any]
    code: str
    pointer: str
    severity: str


FLOW: list[tuple[str, dict[str, Any], str, str, str]] = [
    # Steps that have not run, failed, or belong to another iteration.
    ("approval", {"/nodes/5/with/data": "{{ step.decide.outcome }}"}, "step_may_not_have_run", "/nodes/5/with/data", "warning"),
    ("approval", {"/nodes/0/with/when": "step.decide.output.form.score > 3"}, "step_never_before", "/nodes/0/with/when", "error"),
    ("approval", {"/nodes/6/with/note": "{{ step.book.output.status }}"}, "step_never_before", "/nodes/6/with/note", "error"),
    ("approval", {"/nodes/4/with/expression": "step.book.output.status"}, "step_may_not_have_run", "/nodes/4/with/expression", "warning"),
    ("approval", {"/nodes/3/with/data": "{{ step.book.output.status }}"}, "output_of_failed_step", "/nodes/3/with/data", "error"),
    ("approval", {"/nodes/3/with/data": "{{ step.book.output }}"}, "output_of_failed_step", "/nodes/3/with/data", "warning"),
    ("approval", {"/edges/-": edge("broken", "finish")}, "step_may_not_have_run", "/nodes/5/with/data/fees", "warning"),
    ("approval", {"/nodes/5/with/data": "{{ step.fees.error.code }}"}, "error_may_be_missing", "/nodes/5/with/data", "warning"),
    ("approval", {"/edges/-": edge("fees", "finish", "error")}, "output_may_be_missing", "/nodes/5/with/data/fees", "info"),
    ("repeated", {"/nodes/3/with/data": "{{ step.price.output }}"}, "reads_newest_iteration", "/nodes/3/with/data", "info"),
    ("repeated", {"/nodes/3/with/data": "{{ step.price.output }}"}, "step_may_not_have_run", "/nodes/3/with/data", "warning"),
    (
        "repeated",
        {"/nodes/1/with/body/nodes/0/with/expression": "step.tell.output"},
        "step_never_before",
        "/nodes/1/with/body/nodes/0/with/expression",
        "error",
    ),
    (
        "repeated",
        {"/nodes/2/with/until": REMOVED, "/nodes/2/with/while": "step.look.output.ready"},
        "step_may_not_have_run",
        "/nodes/2/with/while",
        "warning",
    ),
    ("repeated", {"/nodes/0/with/join": "any"}, "output_may_be_missing", "/nodes/3/with/data/sum", "warning"),
    (
        "repeated",
        {"/nodes/0/with/branches/bill/nodes/0/with/expression": "step.pack.output"},
        "step_may_not_have_run",
        "/nodes/0/with/branches/bill/nodes/0/with/expression",
        "warning",
    ),
    ("waiting", {"/edges/0/when": "step.approved.outcome == 'done'"}, "step_never_before", "/edges/0/when", "error"),
    ("undoing", {"/nodes/3/with/input": "{{ step.flight.output.id }}"}, "output_may_be_missing", "/nodes/3/with/input", "warning"),
    # Nodes that never run, conditions that never change.
    ("approval", {"/nodes/0/with/when": "true"}, "constant_condition", "/nodes/0/with/when", "warning"),
    ("approval", {"/nodes/0/with/when": "1 > 2"}, "dead_node", "/nodes/1", "warning"),
    ("approval", {"/edges/0/when": "false && input.urgent"}, "constant_condition", "/edges/0/when", "warning"),
    ("approval", {"/edges/2": REMOVED}, "unreachable_node", "/nodes/2", "warning"),
    ("approval", {"/edges/6/on": "timeout"}, "unreachable_node", "/nodes/5", "warning"),
    (
        "approval",
        {"/nodes/0": node("check", "switch", cases=[{"when": "true", "outcome": "true"}, {"when": "input.urgent", "outcome": "false"}])},
        "constant_condition",
        "/nodes/0/with/cases/0/when",
        "warning",
    ),
    (
        "approval",
        {"/nodes/0": node("check", "switch", cases=[{"when": "false", "outcome": "true"}], default="false")},
        "dead_node",
        "/nodes/2",
        "warning",
    ),
    # Loops, cycles, joins and lists.
    ("repeated", {"/nodes/2/with/until": "false"}, "loop_never_ends", "/nodes/2/with/until", "warning"),
    ("repeated", {"/nodes/2/with/until": "input.urgent"}, "loop_never_changes", "/nodes/2/with/until", "warning"),
    ("repeated", {"/nodes/2/with/until": "true"}, "loop_runs_once", "/nodes/2/with/until", "info"),
    ("repeated", {"/nodes/2/with/until": REMOVED, "/nodes/2/with/while": "1 == 2"}, "loop_never_runs", "/nodes/2/with/while", "warning"),
    ("repeated", {"/edges/3": REMOVED}, "outcome_without_edge", "/nodes/2", "info"),
    (
        "repeated",
        {"/vars": {"n": 0}, "/nodes/-": node("count", "set", n="{{ vars.n + 1 }}"), "/start": "count", "/edges/-": edge("count", "count")},
        "cycle_never_ends",
        "/nodes/5",
        "warning",
    ),
    ("repeated", {"/edges/-": edge("done", "done")}, "cycle_never_waits", "/nodes/3", "error"),
    ("repeated", {"/nodes/0/with/join": 3}, "join_too_large", "/nodes/0/with/join", "error"),
    ("repeated", {"/nodes/0/with/branches/bill/nodes/-": node("out", "fail")}, "join_never_completes", "/nodes/0", "warning"),
    ("repeated", {"/nodes/1/with/as": "vars"}, "name_hides_another", "/nodes/1/with/as", "warning"),
    ("repeated", {"/nodes/1/with/items": []}, "nothing_to_do", "/nodes/1/with/items", "warning"),
    ("repeated", {"/nodes/1/with/items": [1, 2, 3], "/nodes/1/with/max_items": 2}, "too_many_items", "/nodes/1/with/items", "error"),
]
FAULTS = [Fault(*fault) for fault in (*FLOW, *TYPES, *WORK)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.base}-{fault.code}-{fault.pointer}")
def test_a_seeded_fault_is_found(fault: Fault) -> None:
    found = validate(seeded(fault.base, fault.changes))
    assert (fault.code, fault.pointer, fault.severity) in [(one.code, one.pointer, one.severity) for one in found], found


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_document_without_a_seeded_fault_gives_no_error_and_no_warning(name: str) -> None:
    assert [finding for finding in validate(ALL[name]) if finding.severity != "info"] == []


def test_the_seeded_faults_are_of_many_kinds() -> None:
    assert len(FAULTS) >= 40
    assert len({fault.code for fault in FAULTS}) >= 40


def test_what_is_found_has_a_code_and_a_severity_of_the_table() -> None:
    for fault in FAULTS:
        for finding in validate(seeded(fault.base, fault.changes)):
            assert CODES[finding.code].allows(finding.severity), finding


def test_a_step_that_may_not_have_run_is_told_with_a_way_that_misses_it() -> None:
    found = validate(seeded("approval", {"/nodes/4/with/expression": "step.book.output.status"}))
    (finding,) = [one for one in found if one.code == "step_may_not_have_run"]
    assert finding.message.endswith("not on `check` (false) → `fees`")
