"""Definitions: workflows and their versions, from draft to archive; validation; their files and pictures; templates; the node catalog.

Owns   schema `definitions`: workflow, version, installation, live_execution, connection, template, template_version.
Hears  WorkflowInstalled, ConnectionSaved, ConnectionRemoved,
       ExecutionStarted, ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled.
Says   WorkflowChanged, WorkflowDrafted, RecordAudit.
"""
