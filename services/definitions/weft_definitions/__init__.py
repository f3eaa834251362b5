"""Definitions: workflows and their versions, from draft to archive; validation; the node catalog.

Owns   schema `definitions`: workflow, version, installation, live_execution, connection.
Hears  WorkflowInstalled, ConnectionSaved, ConnectionRemoved,
       ExecutionStarted, ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled.
Says   WorkflowChanged, WorkflowDrafted, RecordAudit.
"""
