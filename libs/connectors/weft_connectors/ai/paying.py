"""One call of a model, paid for: what it can cost is taken from the budgets before it, what it came to is settled after it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from time import monotonic
from typing import Any, Final
from uuid import UUID

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.ai import prices
from weft_connectors.ai.accounts import Accounts, ModelCall, Used
from weft_connectors.ai.failing import status_error
from weft_connectors.ai.models import PROVIDERS
from weft_connectors.ai.port import Model, Prompt, Reply, Unreadable
from weft_connectors.plug import Plug

_NOT_SENT: Final = frozenset({"dns_failed", "tls_failed", "ssrf_blocked", "bad_url", "bad_request"})
"""Reasons for which the guarded client sent nothing, so that there is nothing to pay for."""
MOST_TOKENS: Final = 1_000_000_000
"""A provider that tells of more in one call is not believed."""
_settlements: Final[set[asyncio.Task[None]]] = set()
"""Those under way; the loop itself holds tasks by weak references only."""


@dataclass(slots=True)
class Spent:
    """What one attempt has used. cost: None once a price was not known.  at_risk: of calls that gave no answer and may be paid for."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = Decimal(0)
    at_risk: Decimal = Decimal(0)

    def add(self, used: Used) -> None:
        """A call ended."""
        if used.outcome == "unanswered":
            self.at_risk += used.cost or 0
        elif used.outcome == "answered":
            self.calls += 1
            self.input_tokens += used.input_tokens
            self.output_tokens += used.output_tokens
            self.cost = None if used.cost is None or self.cost is None else self.cost + used.cost

    def usage(self, model: Model, *, cached: bool = False) -> dict[str, Any]:
        """As the output tells it."""
        return {
            "provider": model.provider,
            "connection": model.connection.name,
            "model": model.name,
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": None if self.cost is None else float(self.cost),
            "cached": cached,
        }


@dataclass(frozen=True, slots=True)
class Purse:
    """What one attempt at an action pays from. max_cost: of the attempt, US dollars.  accounts: the installation's, None without any."""

    call: ActivityCall
    plug: Plug
    max_cost: float | None
    accounts: Accounts | None
    spent: Spent = field(default_factory=Spent)

    async def ask(self, model: Model, prompt: Prompt, key: str, time_s: float, *, repair: bool = False) -> Reply:
        """A model's reply. key: names this call for the provider.  Raises: ActivityError."""
        most = None if self.max_cost is None and self.accounts is None else await prices.most(model, prompt)
        asked = ModelCall(model.connection.name, model.provider, model.name, most, repair)
        await self._within_max_cost(asked)
        reserved = None if self.accounts is None else await self.accounts.reserve(self.call, asked)
        began = monotonic()
        try:
            reply = await self._sent(model, prompt, key, time_s)
            used = await _used(model, reply, most)
        except ActivityError as error:
            unpaid = _is_unpaid(error)
            used = Used("failed" if unpaid else "unanswered", Decimal(0) if unpaid else most, code=error.code)
            await asyncio.shield(self._settling(asked, reserved, used, began))
            raise
        except asyncio.CancelledError:
            # Its time is over, so nobody waits for the settlement either.
            self._settling(asked, reserved, Used("unanswered", most, code="ai_timeout"), began)
            raise
        await asyncio.shield(self._settling(asked, reserved, used, began))
        return reply

    def _settling(self, asked: ModelCall, reserved: UUID | None, used: Used, began: float) -> asyncio.Task[None]:
        """Settle in a task of its own, which goes on when the call is given up."""
        self.spent.add(used)
        task = asyncio.ensure_future(self._settle(asked, reserved, replace(used, took_ms=round((monotonic() - began) * 1000))))
        _settlements.add(task)
        task.add_done_callback(_settlements.discard)
        return task

    async def _settle(self, asked: ModelCall, reserved: UUID | None, used: Used) -> None:
        if self.accounts is not None and reserved is not None:
            await self.accounts.settle(self.call, asked, reserved, used)

    async def note_cached(self, model: Model) -> None:
        """Tell that an answer was there from before."""
        if self.accounts is not None:
            await self.accounts.note(self.call, ModelCall(model.connection.name, model.provider, model.name), Used("cached"))

    async def _sent(self, model: Model, prompt: Prompt, key: str, time_s: float) -> Reply:
        provider = PROVIDERS[model.provider]
        answer = await self.plug.send(self.call, provider.request(model, prompt, key, max(time_s, 0.001)), model.connection)
        if answer.status != 200:
            raise status_error(answer, model.provider)
        try:
            return provider.read(answer)
        except Unreadable as error:
            message = f"the answer of {model.provider} is no completion: {str(error)[:200]}"
            raise ActivityError("ai_bad_response", message) from error

    async def _within_max_cost(self, asked: ModelCall) -> None:
        """Raises: ActivityError `ai_over_budget` where the attempt could come to more than its bound."""
        bound, spent = self.max_cost, self.spent.cost
        if bound is None:
            return
        if asked.most is None or spent is None:
            message = f"the price of {asked.model} is not known, so `max_cost` cannot be kept; give it in the connection's `prices`"
            details: dict[str, Any] = {"model": asked.model}
        elif (together := spent + self.spent.at_risk + asked.most) > Decimal(str(bound)):
            message = (
                f"it may cost {together:f} US dollars, and `max_cost` is {bound:g}; lower `max_output_tokens`, give less data or raise it"
            )
            details = {"most": float(together), "max_cost": bound}
        else:
            return
        if self.accounts is not None:
            await self.accounts.note(self.call, asked, Used("refused", code="ai_over_budget"))
        raise ActivityError("ai_over_budget", message, permanent=True, details=details)


async def _used(model: Model, reply: Reply, most: Decimal | None) -> Used:
    """What an answer came to, by what the provider told; where it tells nothing of its use, the most that it can have cost."""
    given, made = (min(max(tokens, 0), MOST_TOKENS) for tokens in (reply.input_tokens, reply.output_tokens))
    return Used("answered", await prices.cost(model, given, made) if given or made else most, given, made)


def _is_unpaid(error: ActivityError) -> bool:
    """Whether a call that failed was not sent, or not taken."""
    details = error.details
    return "status" in details or details.get("reached") is False or details.get("reason") in _NOT_SENT
