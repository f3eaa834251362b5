"""What definitions asks of those who know more: what a definition would do, what its triggers would have started. Nothing happens by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from weft_contracts.message import Command, Event


class Problem(BaseModel):
    """Why there is no answer. code: stable.  detail: for a person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str
    detail: str


class SimulateDefinition(Command):
    """Say what an execution of a definition would do that an event begins. It need not be saved."""

    type, version = "definition.simulate", 1
    owner: ClassVar[str] = "engine"
    question_id: UUID
    definition: dict[str, Any] = Field(description="weft/v1, valid.")
    event: dict[str, Any] = Field(description="A CloudEvent, as the log has it.")
    at: datetime | None = Field(default=None, description="When it begins; when it is asked where absent.")


class DefinitionSimulated(Event):
    """The answer: a simulation as `POST /workflows/simulate` shows it, or why there is none. Heard by definitions."""

    type, version = "definition.simulated", 1
    owner: ClassVar[str] = "engine"
    question_id: UUID
    simulation: dict[str, Any] | None = None
    problem: Problem | None = None


class BacktestTriggers(Command):
    """Say what triggers would have started in the past, and what others instead."""

    type, version = "triggers.backtest", 1
    owner: ClassVar[str] = "events"
    question_id: UUID
    workflow: str
    workflow_version: int = Field(ge=1)
    triggers: tuple[dict[str, Any], ...] = Field(description="Of that version, as written.")
    live_version: int | None = Field(default=None, description="The active version, which it is compared with; None where there is none.")
    live_triggers: tuple[dict[str, Any], ...] = ()
    since: datetime = Field(description="Events received at this time or later.")
    until: datetime = Field(description="And before this one.")


class TriggersBacktested(Event):
    """The answer: counts, events that differ, what was left out; or why there is none. Heard by definitions."""

    type, version = "triggers.backtested", 1
    owner: ClassVar[str] = "events"
    question_id: UUID
    result: dict[str, Any] | None = None
    problem: Problem | None = None
