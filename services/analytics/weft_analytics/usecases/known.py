"""What may be asked about."""

from __future__ import annotations

from weft_runtime.uow import UnitOfWork

from weft_analytics.errors import WorkflowUnknown
from weft_analytics.store import numbers


async def require_workflow(workflow: str, uow: UnitOfWork) -> None:
    """Refuse the name of a workflow that was never heard of. Raises: WorkflowUnknown."""
    if not await numbers.is_known(uow, workflow):
        raise WorkflowUnknown(f"there is no workflow {workflow!r}; list them with GET /api/v1/workflows")
