"""Tasks: everything that reaches a person.

Owns   schema `tasks`: tasks, history, delegations, decision_receipts, calendars, calendar_versions, taken_back, pauses, people.
Hears  CreateTask, CancelTask, ExecutionPaused, ExecutionResumed, ExecutionsForgotten, UserChanged.
Says   TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskDelegated, TaskEscalated, TaskDecided, TaskReminded,
       TaskCompleted, TaskCancelled, TaskExpired, CalendarChanged, CompleteStep, FailStep, RecordAudit.
"""
