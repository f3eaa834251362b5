"""Seeded faults of outcomes, states, tasks, compensation and calls."""

from typing import Any

from tests.language.build import edge, node
from tests.language.faults.documents import REMOVED

WORK: list[tuple[str, dict[str, Any], str, str, str]] = [
    # Outcomes and edges.
    ("approval", {"/edges/3": REMOVED}, "outcome_without_edge", "/nodes/1", "warning"),
    ("approval", {"/nodes/1/with/outcomes": ["approved", "rejected", "asked"]}, "outcome_without_edge", "/nodes/1", "warning"),
    ("approval", {"/edges/3/on": "rejectd"}, "impossible_outcome", "/edges/3/on", "error"),
    ("approval", {"/edges/1/when": "input.urgent"}, "guards_may_all_fail", "/edges/1", "info"),
    ("waiting", {"/edges/1": REMOVED}, "outcome_without_edge", "/nodes/0", "warning"),
    ("waiting", {"/edges/2": REMOVED}, "outcome_without_edge", "/nodes/0", "warning"),
    ("waiting", {"/edges/4": REMOVED}, "outcome_without_edge", "/nodes/0", "warning"),
    # States and waits.
    ("waiting", {"/edges/3/when": REMOVED}, "time_never_comes", "/nodes/0/with/after/late", "warning"),
    ("waiting", {"/nodes/0/timeout": "2d"}, "time_never_comes", "/nodes/0/with/after/late", "warning"),
    ("waiting", {"/edges/0/when": "1 > 2"}, "signal_never_accepted", "/nodes/0/with/signals/approve", "warning"),
    ("waiting", {"/nodes/0/with/signals/cancel/schema": False}, "signal_never_accepted", "/nodes/0/with/signals/cancel/schema", "warning"),
    ("waiting", {"/nodes/0/with/after/cancel": "5d"}, "duplicate_outcome", "/nodes/0/with/after/cancel", "error"),
    ("waiting", {"/nodes/0/with/events/approve": {"event": "x"}}, "duplicate_outcome", "/nodes/0/with/events/approve", "error"),
    ("waiting", {"/nodes/-": node("stuck", "state")}, "state_never_left", "/nodes/6/with", "error"),
    ("waiting", {"/nodes/2/with/for": "0s"}, "wait_of_nothing", "/nodes/2/with/for", "warning"),
    ("waiting", {"/nodes/2/with/for": "60d"}, "wait_outlives_execution", "/nodes/2/with/for", "warning"),
    # Tasks.
    ("waiting", {"/nodes/4/with/due": REMOVED}, "task_without_due", "/nodes/4/with", "warning"),
    ("waiting", {"/nodes/4/with/due": REMOVED}, "reminder_without_due", "/nodes/4/with/reminders", "warning"),
    ("waiting", {"/nodes/4/with/reminders/0": "P2D"}, "reminder_never_comes", "/nodes/4/with/reminders/0", "warning"),
    ("waiting", {"/nodes/4/with/candidates": REMOVED}, "task_without_people", "/nodes/4/with", "info"),
    ("waiting", {"/nodes/4/with/on_timeout/0/outcome": "timeout"}, "impossible_outcome", "/nodes/4/with/on_timeout/0/outcome", "error"),
    ("waiting", {"/nodes/4/with/on_timeout/-": {"after": "2d", "do": "remind"}}, "rung_never_reached", "/nodes/4/with/on_timeout/1",
     "warning"),
    ("waiting", {"/nodes/4/timeout": "12h"}, "rung_never_reached", "/nodes/4/with/on_timeout/0", "warning"),
    ("waiting", {"/nodes/4/with/candidates": REMOVED, "/nodes/4/with/assignee": "a@b.c"}, "approvals_impossible",
     "/nodes/4/with/approvals/required", "error"),
    ("waiting", {"/nodes/4/with/candidates": REMOVED, "/nodes/4/with/assignee": "{{ input.when }}"}, "approvals_impossible",
     "/nodes/4/with/approvals/required", "warning"),
    ("waiting", {"/nodes/4/with/on_timeout/0/outcome": "never"}, "impossible_outcome", "/nodes/4/with/on_timeout/0/outcome", "error"),
    ("waiting", {"/nodes/4/with/on_timeout/0/outcome": REMOVED}, "required", "/nodes/4/with/on_timeout/0/outcome", "error"),
    ("waiting", {"/nodes/4/with/on_timeout/0/do": "escalate"}, "ladder_names_nobody", "/nodes/4/with/on_timeout/0", "error"),
    ("waiting", {"/nodes/4/with/approvals/required": 4}, "approvals_impossible", "/nodes/4/with/approvals/required", "error"),
    ("waiting", {"/nodes/4/with/candidates": {"users": ["a@b.c"]}}, "approvals_impossible", "/nodes/4/with/approvals/required", "warning"),
    ("waiting", {"/nodes/5/with/separate_from": ["open"]}, "unknown_node", "/nodes/5/with/separate_from/0", "error"),
    ("waiting", {"/nodes/4/with/separate_from": ["third"]}, "separation_without_effect", "/nodes/4/with/separate_from/0", "warning"),
    # Failing and undoing.
    ("undoing", {"/edges/6": REMOVED}, "error_not_caught", "/nodes/3", "info"),
    ("undoing", {"/nodes/1/with/scope": "tripp"}, "unknown_node", "/nodes/1/with/scope", "error"),
    ("undoing", {"/nodes/0/with/nodes/0/compensate": REMOVED, "/nodes/0/with/nodes/1/compensate": REMOVED}, "nothing_to_compensate",
     "/nodes/1", "warning"),
    ("undoing", {"/start": "undo", "/edges/1": edge("undo", "trip", "error")}, "nothing_to_compensate", "/nodes/1", "warning"),
    ("approval", {"/settings": {"on_failure": "compensate"}}, "nothing_to_compensate", "/settings/on_failure", "warning"),
    ("undoing", {"/nodes/0/with/nodes/0/compensate/type": "task"}, "compensation_not_activity", "/nodes/0/with/nodes/0/compensate/type",
     "error"),
    ("undoing", {"/start": "repeat", "/nodes/3/with/input": {}}, "call_of_itself", "/nodes/3/with/workflow", "warning"),
]  # fmt: skip
