"""Analytics: everything that is learned.

Owns   schema `analytics`: executions, rollups, durations, tasks, service_levels, workflows, walks_heard,
       step_counts, step_times, ways, way_counts, alert_rules, alerts, duties,
       audit, audit_heads, budgets, ai_calls, ai_costs, ai_times.
Hears  WorkflowChanged,
       ExecutionQueued, ExecutionStarted, ExecutionWaiting, ExecutionPaused, ExecutionResumed, ExecutionCompleted, ExecutionFailed,
       ExecutionTimedOut, ExecutionCancelled, ExecutionsForgotten,
       ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached,
       TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskDelegated, TaskEscalated, TaskDecided, TaskCompleted,
       TaskCancelled, TaskExpired,
       ConnectionSaved, ConnectionRemoved, ConnectionSuspended, ConnectionResumed, CalendarChanged, TenantChanged, UserChanged,
       AiCalled, RecordAudit.
Says   AlertRaised, AlertResolved, BudgetChanged, RecordAudit.
"""
