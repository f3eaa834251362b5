"""Analytics: everything that is learned.

Owns   schema `analytics`: executions, rollups, durations, tasks, workflows.
Hears  WorkflowChanged,
       ExecutionQueued, ExecutionStarted, ExecutionWaiting, ExecutionPaused, ExecutionResumed, ExecutionCompleted, ExecutionFailed,
       ExecutionTimedOut, ExecutionCancelled, ExecutionsForgotten,
       TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskEscalated, TaskDecided, TaskCompleted, TaskCancelled, TaskExpired.
Says   nothing.
"""
