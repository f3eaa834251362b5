"""Tasks: everything that reaches a person.

Owns   schema `tasks`: tasks, history, delegations, decision_receipts, calendars, calendar_versions, taken_back, pauses, people,
       notifications, preferences, deliveries, messages, workflow_owners, connections, suspensions.
Hears  CreateTask, CancelTask, SendNotification, ExecutionPaused, ExecutionResumed, ExecutionFailed, ExecutionTimedOut,
       ExecutionsForgotten, UserChanged, WorkflowChanged, ConnectionSaved, ConnectionRemoved, ConnectionSuspended, ConnectionResumed,
       ActivityAccepted, ActivityHeartbeat, ActivityCompleted, ActivityFailed.
Says   TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskDelegated, TaskEscalated, TaskDecided, TaskReminded,
       TaskCompleted, TaskCancelled, TaskExpired, NotificationCreated, NotificationsRead, CalendarChanged, CompleteStep, FailStep,
       ActivityRequested, ActivityCompleted, ActivityFailed, RecordAudit.
"""
