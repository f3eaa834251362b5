"""Codes of single kinds of nodes: people, failing and undoing; and of publishing."""

from typing import Final

from weft_language.finding_codes.code import FindingCode as Code

PEOPLE: Final = (
    Code("task_without_due", "warning", "a task with neither `due` nor `timeout`", "give it a `due`"),
    Code("task_without_people", "info", "a task that names neither an assignee nor candidates", "name them"),
    Code("reminder_without_due", "warning", "reminders before a date that there is not", "give the task a `due`"),
    Code("reminder_never_comes", "warning", "a reminder longer before `due` than the task has until then", "remind later"),
    Code("ladder_names_nobody", "error", "a rung that reassigns or escalates to nobody", "add `to`"),
    Code(
        "rung_never_reached",
        "warning",
        "a rung that comes after the task has ended: by `decide`, `fail` or `timeout`",
        "let it come earlier",
    ),
    Code("approvals_impossible", "error, warning", "more approvals than there can be", "need fewer, or name more candidates"),
    Code("separation_without_effect", "warning", "a task kept apart from one that comes later", "write it on the later one"),
)

UNDOING: Final = (
    Code(
        "error_not_caught", "info", "outside work whose error fails the execution", "draw an edge on `error`, from it or a group around it"
    ),
    Code("nothing_to_compensate", "warning", "undoing where nothing before it has a `compensate`", "give a node before it one"),
    Code("compensation_not_activity", "error", "a `compensate` that is neither an activity nor a connector's action", "use one of those"),
    Code("call_of_itself", "warning", "a workflow that calls itself on every way", "let a condition decide"),
)

ENHANCING: Final = (
    Code("not_enhanceable", "error", "an `enhance` that makes no sense for its node, or gives what AI may not", "do as the fix says"),
)

PUBLISHING: Final = (
    Code("not_executable_yet", "error", "a part that this release does not execute", "use what the fix names meanwhile"),
    Code("connection_not_there", "warning", "a connection that the tenant does not have (yet)", "name one there is, or make it"),
    Code("connection_of_another_type", "warning", "a connection that cannot be gone by here", "name one of the type that the message says"),
    Code("workflow_not_there", "warning", "a call of a workflow that the tenant does not have (yet)", "name one there is, or make it"),
    Code("workflow_not_published", "warning", "a call of a workflow or version that was never published (yet)", "publish it first"),
)

CARRYING: Final = (
    Code(
        "not_carried",
        "error",
        "a part of another language that has no equal, and without which it means something else",
        "do as the fix says",
    ),
    Code(
        "carried_otherwise",
        "warning",
        "a part that stands otherwise, or needs something more to do the same",
        "see whether it is what is wanted",
    ),
    Code("left_out", "info", "a part that has no equal, and no effect on what is done", "nothing has to be done"),
)
