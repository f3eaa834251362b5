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


class OwnRequest(Forbidden):
    """Who acts for somebody else, as their stand-in or because it was handed to them, may not decide what they asked for themselves."""

    code = "own_request"


class DelegatedInCircle(Conflict):
    """The task was handed on by this person before, or is theirs."""

    code = "delegated_in_circle"


class DelegatedTooOften(Conflict):
    """The task was handed on as often as it may be."""

    code = "delegated_too_often"


class BadTime(Invalid):
    """A time that is over, or too far off, or a span that ends before it begins."""

    code = "bad_time"


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


class DelegationNotFound(NotFound):
    """No such delegation in this tenant, or none that this person has to do with."""

    code = "delegation_not_found"


class NotYourAbsence(Forbidden):
    """Only who may assign tasks says who stands in for somebody else."""

    code = "not_your_absence"


class StandsInForSelf(Invalid):
    """Nobody stands in for themselves."""

    code = "stands_in_for_self"


class TooManyDelegations(Conflict):
    """Somebody has, or is, as many stand-ins as there may be."""

    code = "too_many_delegations"


class LinkUnknown(NotFound):
    """No decision link that this installation made, or of a task that is forgotten."""

    code = "decision_link_unknown"


class LinkExpired(NotFound):
    """The link's time is over. 410."""

    status, code = 410, "decision_link_expired"


class LinkUsed(Conflict):
    """The link was used, for another decision; `receipt` says for which."""

    code = "decision_link_used"


class LinkStale(Conflict):
    """The task has changed since the link was made; `current` says what it is now."""

    code = "decision_link_stale"


class LinkOfNobody(Forbidden):
    """Whom the link was made for is no longer active."""

    code = "decision_link_of_nobody"


class NoAssignee(Conflict):
    """A link is for whoever has the task, and nobody has it."""

    code = "no_assignee"


class BadChoice(Invalid):
    """One verb for many tasks, without what it needs, with what it does not take, or with no tasks named."""

    code = "bad_choice"


class MayNotAssign(Forbidden):
    """Who may not assign tasks cannot give many away, either."""

    code = "forbidden"


class UnknownAssignee(Invalid):
    """Nobody by that id or e-mail address may be given a task."""

    code = "unknown_assignee"


class NotificationNotFound(NotFound):
    """No such notification of this person."""

    code = "notification_not_found"


class PreferencesMoved(PreconditionFailed):
    """The preferences are at another version than the one named."""

    code = "preferences_moved"
