"""Whether what a tenant may spend on models allows one more call. Pure.

What was spent and what calls in hand may come to count together, so calls at once do not go beyond a limit either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from weft_language.tiers import TIERS


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget as it stands. used: spent, and reserved by calls in hand; US dollars.  saving_from: share of the limit."""

    id: UUID
    workflow: str | None
    period: str
    limit: Decimal
    hard: bool
    saving_from: float | None
    saving_tier: str | None
    used: Decimal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is not made, and what an author can do."""

    message: str
    details: dict[str, Any]


def refused(standing: Iterable[Standing], most: Decimal | None, model: str) -> Refusal | None:
    """Why these budgets do not allow a call, None where they do. most: what it can cost at most; None where that is not known."""
    for budget in standing:
        if not budget.hard:
            continue
        whose = "the tenant" if budget.workflow is None else budget.workflow
        details = {"budget_id": str(budget.id), "workflow": budget.workflow, "period": budget.period, "limit": float(budget.limit)}
        if most is None:
            message = f"the price of {model} is not known, so the budget of {whose} cannot be kept; give it in the connection's `prices`"
            return Refusal(message, {**details, "model": model})
        if budget.used + most > budget.limit:
            left = max(budget.limit - budget.used, Decimal(0))
            message = (
                f"of {whose}'s budget of {budget.limit:f} US dollars a {budget.period} {left:f} are left, and the call may cost {most:f};"
                " wait for the next, raise it with POST /api/v1/budgets, or ask for less"
            )
            return Refusal(message, {**details, "used": float(budget.used), "most": float(most)})
    return None


def sparing(standing: Iterable[Standing], tier: str | None) -> str | None:
    """The tier whose models are asked: the tenant's, or a lower one where a budget wants to be spared from here on."""
    for budget in standing:
        wanted, share = budget.saving_tier, budget.saving_from
        if wanted is not None and share is not None and budget.used >= budget.limit * Decimal(str(share)) and _is_lower(wanted, tier):
            tier = wanted
    return tier


def _is_lower(one: str, than: str | None) -> bool:
    if one not in TIERS or than is None:
        return False
    return than not in TIERS or TIERS.index(one) < TIERS.index(than)
