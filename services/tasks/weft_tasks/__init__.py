"""Tasks: everything that reaches a person.

Owns   schema `tasks`: tasks, history, taken_back, people.
Hears  CreateTask, CancelTask, UserChanged.
Says   TaskCreated, TaskClaimed, TaskReleased, TaskReassigned, TaskCompleted, TaskCancelled, TaskExpired, CompleteStep, FailStep.
"""
