"""What can go wrong with a task, each with its stable code."""

from __future__ import annotations

from weft_runtime.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, StaleWrite


class TaskNotFound(NotFound):
    """No such task in this tenant."""

    code = "task_not_found"


class NotYours(Forbidden):
    """The task waits for somebody else."""

    code = "not_your_task"


class IllegalMove(Conflict):
    """The task is in a state from which this cannot be done."""

    code = "illegal_move"


class ExecutionRests(Conflict):
    """The execution is paused, and its tasks with it; `paused_since` and `paused_by` say since when and by whom."""

    code = "execution_paused"


class AlreadyDone(Conflict):
    """Somebody decided already; who and when is in `completed_by` and `completed_at`."""

    code = "task_already_completed"


class AlreadyDecided(Conflict):
    """This person decided already, and the task takes one decision of each; when and how is in `completed_at` and `outcome`."""

    code = "already_decided"


class Separated(Forbidden):
    """This person had a part in another task of the execution, `node`, from which this one is kept apart. No role changes that."""

    code = "separated"


class TaskMoved(StaleWrite):
    """The task changed since it was read; `current` says what it is now."""

    code = "task_version_conflict"


class UnknownOutcome(Invalid):
    """A decision the task does not offer."""

    code = "unknown_outcome"


class FormInvalid(Invalid):
    """The form does not fit its schema; `errors` says where."""

    code = "form_invalid"


class FormUnusable(Invalid):
    """The schema of a form is no schema we can check with."""

    code = "task_form_unusable"


class CalendarNotFound(NotFound):
    """No such business calendar in this tenant."""

    code = "calendar_not_found"


class CalendarMoved(PreconditionFailed):
    """The calendar changed since it was read."""

    code = "calendar_changed"


class CalendarWrittenFirst(StaleWrite):
    """Two made the same calendar at once."""

    code = "calendar_written_first"


class TooManyCalendars(Conflict):
    """The tenant has as many calendars as it may have."""

    code = "too_many_calendars"


class UnknownAssignee(Invalid):
    """Nobody by that id or e-mail address may be given a task."""

    code = "unknown_assignee"
