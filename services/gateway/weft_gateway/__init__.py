"""Gateway: the edge for people. Sign-in, API keys, the directory of tenants and people, the live feed, the whole API's description.

Owns   schema `gateway`: tenants, users, groups, passwords, sessions, refresh_tokens, signing_keys, api_keys, sign_in_failures,
       sign_in_places, feed, watchers, live_tickets, identities, oidc_sign_ins,
       oidc_handed.
Hears  ExecutionQueued, ExecutionStarted, ExecutionWaiting, ExecutionPaused, ExecutionResumed, ExecutionCompleted, ExecutionFailed,
       ExecutionTimedOut,
       ExecutionCancelled, ExecutionSkipped, StartRejected, ExecutionSlaSet, ExecutionSlaWarned, ExecutionSlaBreached,
       TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskDelegated, TaskEscalated, TaskDecided, TaskReminded,
       TaskCompleted, TaskCancelled, TaskExpired, NotificationCreated, NotificationsRead, AlertRaised, AlertResolved.
Says   TenantChanged, UserChanged, RecordAudit.
"""
