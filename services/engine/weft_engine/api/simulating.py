"""Simulating: what would happen, decided by the engine's own core, with nothing asked of the outside and nothing kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel
from weft_runtime.auth import Permission
from weft_runtime.http import Context, Uow

from weft_engine import usecases
from weft_engine.api.routes import door
from weft_engine.programs import ProgramCache
from weft_engine.simulating import verbs
from weft_engine.simulating.checking import check_fork
from weft_engine.simulating.reading import around_definition, read_yaml
from weft_engine.simulating.schemas import DefinitionSimulation, ExecutionSimulation, SimulationView, WorkflowSimulation


def _also_yaml(body: type[BaseModel]) -> dict[str, Any]:
    """What the description says of a route that reads its body as YAML too."""
    schema = {"$ref": f"#/components/schemas/{body.__name__}"}
    return {"requestBody": {"content": {"application/yaml": {"schema": schema}}}}


@door.post(
    "/workflows/simulate",
    may=Permission.WORKFLOWS_READ,
    yaml=read_yaml,
    meant=around_definition,
    openapi_extra=_also_yaml(DefinitionSimulation),
)
async def simulate_definition(body: DefinitionSimulation, uow: Uow) -> SimulationView:
    """What an execution of a definition would do. It need not be saved. A definition alone as the body is begun by hand, without input."""
    return await verbs.simulate(body, await verbs.sent(body.definition), uow)


@door.post("/workflows/{slug}/simulate", may=Permission.WORKFLOWS_READ, yaml=read_yaml, openapi_extra=_also_yaml(WorkflowSimulation))
async def simulate_workflow(slug: str, body: WorkflowSimulation, uow: Uow, context: Context) -> SimulationView:
    """What an execution of a version would do: of the active one, or where none is published of the draft, unless one is named."""
    wanted = await verbs.saved(slug, body.version, context.part(ProgramCache), uow)
    return await verbs.simulate(body, wanted, uow)


@door.post(
    "/executions/{execution_id}/simulate",
    may=Permission.EXECUTIONS_READ,
    yaml=read_yaml,
    openapi_extra=_also_yaml(ExecutionSimulation),
)
async def simulate_execution(execution_id: UUID, body: ExecutionSimulation, uow: Uow, context: Context) -> SimulationView:
    """How an execution would go on from any moment, or would have gone by another version, input or answer of the outside.

    What is not said otherwise answers as it did then: effects come from the execution's own journal.
    """
    found = await usecases.find_execution(execution_id, uow)
    check_fork(body)
    if body.definition is not None:
        wanted = await verbs.sent(body.definition)
    else:
        version = body.version or verbs.version_at(found, body.at)
        wanted = await verbs.saved(found.workflow, version, context.part(ProgramCache), uow)
    return await verbs.go_on_with(found, body, wanted, uow)
