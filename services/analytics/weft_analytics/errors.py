"""What can be wrong with a question, each with its stable code."""

from __future__ import annotations

from weft_runtime.errors import Conflict, Invalid, NotFound


class WorkflowUnknown(NotFound):
    """No such workflow in this tenant."""

    code = "workflow_not_found"


class BadWindow(Invalid):
    """A span of time that cannot be answered for."""

    code = "bad_window"


class BadLabel(Invalid):
    """A label that is not `name=value`."""

    code = "bad_label"


class VersionOfNothing(Invalid):
    """A version was asked for without its workflow."""

    code = "workflow_missing"


class BudgetOfNothing(Invalid):
    """A budget of a workflow that is not in this tenant."""

    code = "workflow_not_found"


class TooManyBudgets(Conflict):
    """A tenant has as many budgets as it may."""

    code = "too_many_budgets"


class TooManyRules(Conflict):
    """A tenant has as many alert rules as it may."""

    code = "too_many_rules"


class RuleUnknown(NotFound):
    """No such alert rule in this tenant."""

    code = "alert_rule_not_found"


class AlertUnknown(NotFound):
    """No such alert in this tenant."""

    code = "alert_not_found"


class AlertIsOver(Conflict):
    """An alert that is resolved was to be acknowledged."""

    code = "alert_resolved"


class AuditRowMissing(NotFound):
    """A row of the audit that was named is not there."""

    code = "audit_row_not_found"
