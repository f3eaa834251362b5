"""Events: everything that comes in, what it starts, and why.

Owns   schema `events`: event, event_key, verdict, workflow, trigger_set, tenant.
Hears  WorkflowChanged, TenantChanged, ExecutionSkipped, StartRejected, and plain CloudEvents from `weft.domain`.
Says   StartExecution, WorkflowInstalled.
"""
