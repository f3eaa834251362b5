"""The accounts behind calls of models: whether a tenant's budgets allow one, what it came to, and answers that were given before."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, Protocol
from uuid import UUID

from weft_connectors.activity import ActivityCall

Outcome = Literal["answered", "failed", "unanswered", "cached", "refused"]


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model. most: what it can cost at most, US dollars; None where its price is not known.  repair: of a wrong answer."""

    connection: str
    provider: str
    model: str
    most: Decimal | None = None
    repair: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """What a call came to. cost: US dollars, that of `unanswered` the most it can be; None where it is not known.  code: of its error."""

    outcome: Outcome
    cost: Decimal | None = Decimal(0)
    input_tokens: int = 0
    output_tokens: int = 0
    took_ms: int = 0
    code: str | None = None


class Accounts(Protocol):
    """Those of an installation. Without any no budget is kept, no use told and no answer remembered."""

    async def tier(self, call: ActivityCall, tier: str | None) -> str | None:
        """The tier whose model is asked, a cheaper one where a budget wants to be spared. Raises: ActivityError `ai_budget_unavailable`."""
        ...

    async def reserve(self, call: ActivityCall, asked: ModelCall) -> UUID:
        """Take what a call can cost from the budgets, before it is made. Returns: what to settle it by.

        Raises: ActivityError `ai_over_budget`, `ai_budget_unavailable`.
        """
        ...

    async def settle(self, call: ActivityCall, asked: ModelCall, reserved: UUID, used: Used) -> None:
        """Put what a call came to in the place of what was reserved. Never raises: what is not settled counts as it was reserved."""
        ...

    async def note(self, call: ActivityCall, asked: ModelCall, used: Used) -> None:
        """Tell of a call for which nothing was reserved. Never raises."""
        ...

    async def recall(self, call: ActivityCall, key: str) -> dict[str, Any] | None:
        """The output that was remembered under a key for this tenant. Never raises: what cannot be read is not remembered."""
        ...

    async def remember(self, call: ActivityCall, key: str, output: dict[str, Any], for_s: float) -> None:
        """Keep an output for its tenant. Never raises."""
        ...
