"""Bodies and views of simulations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field
from weft_runtime.http import Body

from weft_engine.schemas import KEY, ChoiceView, StepView, TriggerView, WaitingView

Outcome = Annotated[str, Field(min_length=1, max_length=200)]
Outcomes = Outcome | Annotated[list[Outcome], Field(min_length=1, max_length=1000)]


class GivenError(Body):
    """What every attempt of a node fails with. permanent: it is not tried again, whatever the node's `retry` says."""

    code: str = Field(min_length=1, max_length=200)
    message: str = Field(default="", max_length=10_000)
    permanent: bool = False
    details: dict[str, Any] = Field(default_factory=dict)


class AnswersBody(Body):
    """What the outside is taken to answer, by node."""

    outputs: dict[str, Any] = Field(
        default_factory=dict, max_length=1000, description="What a node's work gives; the form of a task; the payload of a signal or event."
    )
    outcomes: dict[str, Outcomes] = Field(
        default_factory=dict,
        max_length=1000,
        description="What a node ends with; of a list, one visit after another, the last for all further.",
    )
    errors: dict[str, GivenError] = Field(default_factory=dict, max_length=1000, description="What a node's every attempt fails with.")


class SimulationBody(AnswersBody):
    """How a simulation begins: with an input, as by hand, or with an event, as its triggers take it."""

    input: dict[str, Any] | None = None
    event: dict[str, Any] | None = Field(
        default=None,
        description="The CloudEvent that begins it, as POST /events takes one; `specversion`, `id` and `source` may be left out. One from "
        "`weft/records/…` is a change of a row, as the log has it.",
    )
    key: str | None = KEY
    at: AwareDatetime | None = Field(default=None, description="When it begins; now when absent.")


class WorkflowSimulation(SimulationBody):
    """A simulation of a version, published or the draft."""

    version: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The active one when absent, or the draft where none is published."
    )


class DefinitionSimulation(SimulationBody):
    """A simulation of a definition that need not be saved. A definition alone may be the whole body, as where one is saved."""

    definition: dict[str, Any]


class ExecutionSimulation(AnswersBody):
    """A simulation of how an execution would go on, or would have gone: what is not said here answers as it did then."""

    at: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="From after the transition that wrote this position of the journal; from its start when absent.",
    )
    input: dict[str, Any] | None = Field(default=None, description="In the place of its own; only from its start.")
    version: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Another version; only from its start.")
    definition: dict[str, Any] | None = Field(default=None, description="A definition that need not be saved; only from its start.")


class SimulatedStep(StepView):
    """One visit of a node. condition: the tree of the one that decided where it went, null where none did.  choices: all that were read."""

    condition: dict[str, Any] | None
    choices: list[ChoiceView]


class SimulatedWait(BaseModel):
    """One wait. for: who or what it is for.  since, until: on the simulation's clock; `until` is null where it lasts."""

    node: str
    visit: int
    kind: str
    for_: Any = Field(default=None, alias="for", serialization_alias="for")
    since: datetime
    until: datetime | None


class SimulatedEffect(BaseModel):
    """What would be asked of the outside. with: as it was rendered."""

    node: str
    visit: int
    type: str
    with_: Any = Field(default=None, alias="with", serialization_alias="with")
    at: datetime


class FindingView(BaseModel):
    """What one should know of a simulation or its definition."""

    severity: Literal["error", "warning", "info"]
    code: str
    pointer: str
    node: str | None
    message: str
    fix: str | None


class TriggerLook(BaseModel):
    """A trigger that was considered. reason: `matched`, `event`, `disabled`, `source`, `condition` or `error`; `operation`, `changed`."""

    trigger: str
    matched: bool
    reason: str
    detail: str | None
    condition: dict[str, Any] | None


class SimulationView(BaseModel):
    """What would happen. status: of the execution, or `unmatched` where no trigger takes the event.

    path: nodes in the order in which their visits ended.  triggers: those considered, where it began with an event.
    """

    workflow: str
    version: int | None
    status: str
    input: dict[str, Any]
    output: Any
    error: dict[str, Any] | None
    vars: dict[str, Any]
    trigger: TriggerView | None
    triggers: list[TriggerLook]
    path: list[str]
    steps: list[SimulatedStep]
    waits: list[SimulatedWait]
    effects: list[SimulatedEffect]
    waiting_for: list[WaitingView]
    findings: list[FindingView]
    started_at: datetime | None
    ended_at: datetime | None
