"""Events: everything that comes in, what it starts, and why.

Owns   schema `events`: event, event_key, event_value, verdict, delivery, subscription, listened, workflow, trigger_set, tenant,
       schedule, calendar, connection, source, watched, table_events, mail,
       suspension, backtest.
Hears  WorkflowChanged, TenantChanged, CalendarChanged, BacktestTriggers,
       ConnectionSaved, ConnectionRemoved, ConnectionSuspended, ConnectionResumed, ExecutionSkipped, StartRejected,
       OpenSubscription, CloseSubscription, and plain CloudEvents from `weft.domain`.
Says   StartExecution, DeliverEvent, WorkflowInstalled, TriggersBacktested, RecordAudit.
"""
