"""What can be wrong with a question, each with its stable code."""

from __future__ import annotations

from weft_runtime.errors import Invalid, NotFound


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
