"""Simulating: what would happen, decided by the engine's own core, with nothing asked of the outside and nothing kept."""

from __future__ import annotations

from uuid import UUID

from weft_runtime.auth import Permission
from weft_runtime.http import Context, Uow

from weft_engine import usecases
from weft_engine.api.routes import door
from weft_engine.programs import ProgramCache
from weft_engine.simulating import verbs
from weft_engine.simulating.checking import check_fork
from weft_engine.simulating.schemas import DefinitionSimulation, ExecutionSimulation, SimulationView, WorkflowSimulation


@door.post("/workflows/simulate", may=Permission.WORKFLOWS_READ)
async def simulate_definition(body: DefinitionSimulation, uow: Uow) -> SimulationView:
    """What an execution of a definition would do. It need not be saved: this is how a draft is tried."""
    return await verbs.simulate(body, await verbs.sent(body.definition), uow)


@door.post("/workflows/{slug}/simulate", may=Permission.WORKFLOWS_READ)
async def simulate_workflow(slug: str, body: WorkflowSimulation, uow: Uow, context: Context) -> SimulationView:
    """What an execution of a published version would do."""
    wanted = await verbs.published(slug, body.version, context.part(ProgramCache), uow)
    return await verbs.simulate(body, wanted, uow)


@door.post("/executions/{execution_id}/simulate", may=Permission.EXECUTIONS_READ)
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
        wanted = await verbs.published(found.workflow, version, context.part(ProgramCache), uow)
    return await verbs.go_on_with(found, body, wanted, uow)
