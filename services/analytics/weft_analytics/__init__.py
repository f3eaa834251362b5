"""Analytics: everything that is learned.

Owns   schema `analytics`: executions, rollups, durations, tasks, service_levels, workflows.
Hears  WorkflowChanged,
       ExecutionQueued, ExecutionStarted, ExecutionWaiting, ExecutionPaused, ExecutionResumed, ExecutionCompleted, ExecutionFailed,
       ExecutionTimedOut, ExecutionCancelled, ExecutionsForgotten,
       ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached,
       TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskDelegated, TaskEscalated, TaskDecided, TaskCompleted,
       TaskCancelled, TaskExpired.
Says   nothing.
"""
