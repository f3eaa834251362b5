"""Definitions: workflows and their versions, from draft to archive; validation; their files and pictures; templates; rules; backtests.

Owns   schema `definitions`: workflow, version, rule, installation, live_execution, connection, template, template_version, question.
Hears  WorkflowInstalled, ConnectionSaved, ConnectionRemoved, DefinitionSimulated, TriggersBacktested,
       ExecutionStarted, ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled.
Says   WorkflowChanged, WorkflowDrafted, SimulateDefinition, BacktestTriggers, RecordAudit.
"""
