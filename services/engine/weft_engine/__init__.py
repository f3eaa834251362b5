"""Engine: executions, steps, timers and signals, and the workers that run activities.

Owns   schema `engine`: workflows, definitions, drafts, tenants, calendars, connections, connection_secrets, connection_sign_ins,
       executions, journal, blobs, blob_uses, partitions, nodes, keys, answers, admissions, start_rates, suspensions, bulk_jobs, bulk_items,
       migrations, migration_items, budgets, ai_spending, ai_reservations, ai_answers.
Hears  WorkflowChanged, WorkflowDrafted, TenantChanged, CalendarChanged, BudgetChanged, SimulateDefinition, StartExecution,
       AdmitExecution, SkipExecution, CancelExecution, PauseExecution, ResumeExecution, RetryExecution, MigrateExecution,
       UndoMigration, SignalExecution, DeliverEvent, CompleteStep, FailStep, ActivityRequested, ActivityAccepted,
       ActivityHeartbeat, ActivityCompleted, ActivityFailed.
Says   WorkflowInstalled, DefinitionSimulated, StartExecution, AdmitExecution, SkipExecution, CancelExecution, PauseExecution,
       ResumeExecution, RetryExecution, MigrateExecution, UndoMigration, SignalExecution, CompleteStep, FailStep,
       ExecutionQueued, ExecutionStarted, ExecutionWaiting, ExecutionPaused, ExecutionResumed,
       ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled, ExecutionsForgotten,
       ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached,
       ExecutionSkipped, StartRejected, ConnectionSaved, ConnectionRemoved, ConnectionSuspended, ConnectionResumed, AiCalled,
       CreateTask, CancelTask, SendNotification, OpenSubscription, CloseSubscription, RecordAudit,
       ActivityRequested, ActivityAccepted, ActivityHeartbeat, ActivityCompleted, ActivityFailed.
"""
