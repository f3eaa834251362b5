"""The actions: read the call, ask a model, check its answer, have it repaired once, ask another provider where the first cannot answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from weft_language.actions.ai.model import AiWith
from weft_language.json_schemas import InvalidSchema, SchemaCheck

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.ai import prices
from weft_connectors.ai.breaker import Breaker
from weft_connectors.ai.failing import PROVIDER_DOWN, status_error
from weft_connectors.ai.models import PROVIDERS, model_of
from weft_connectors.ai.port import Model, Prompt, Reply, Unreadable
from weft_connectors.ai.prompting import TooMuchData, mark_of, prompt_of, repair_of
from weft_connectors.ai.replies import answer_in
from weft_connectors.ai.tasks import Result, Task, Wrong, checked, task_of
from weft_connectors.plug import Plug, Run, given, refused

FIRST_SHARE: Final = 0.6


@dataclass(slots=True)
class Spent:
    """What one attempt has used. cost: None once a price was not known.  at_risk: of calls that gave no answer and may be paid for."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = Decimal(0)
    at_risk: Decimal = Decimal(0)

    async def add(self, model: Model, reply: Reply) -> None:
        """An answer came."""
        price = await prices.cost(model, reply.input_tokens, reply.output_tokens)
        self.calls += 1
        self.input_tokens += reply.input_tokens
        self.output_tokens += reply.output_tokens
        self.cost = None if price is None or self.cost is None else self.cost + price

    def usage(self, model: Model) -> dict[str, Any]:
        """As the output tells it."""
        return {
            "provider": model.provider,
            "connection": model.connection.name,
            "model": model.name,
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": None if self.cost is None else float(self.cost),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """One attempt at an action. ends_at: by the loop's time.  check: of the task's schema."""

    call: ActivityCall
    plug: Plug
    with_: AiWith
    task: Task
    check: SchemaCheck | None
    ends_at: float
    spent: Spent = field(default_factory=Spent)


class Asker:
    """Asks models for all actions of a process. first_share: of the time, for the first provider where there is another one; 0..1."""

    def __init__(self, *, breaker: Breaker | None = None, first_share: float = FIRST_SHARE) -> None:
        self._breaker = breaker or Breaker()
        self._first_share = first_share

    def action(self, with_class: type[AiWith]) -> Run:
        """An action, by the class that reads its rendered `with`."""

        async def run(call: ActivityCall, plug: Plug) -> Result:
            return await self._ask(call, given(call, with_class), plug)

        return run

    async def _ask(self, call: ActivityCall, with_: AiWith, plug: Plug) -> Result:
        """The node's output. Raises: ActivityError, with the codes that the catalog lists."""
        task = task_of(with_)
        try:
            check = None if task.schema is None else SchemaCheck(task.schema)
        except InvalidSchema as error:
            raise refused(call, f"schema{error.pointer}", error.message) from error
        asked = Asked(call, plug, with_, task, check, _now() + with_.timeout_s)
        other = with_.fallback
        if other is None or other == with_.connection:
            return await self._go_by(with_.connection, asked, with_.timeout_s)
        if self._breaker.is_open(call.tenant, with_.connection):
            return await self._go_by(other, asked, with_.timeout_s)
        try:
            return await self._go_by(with_.connection, asked, with_.timeout_s * self._first_share)
        except ActivityError as first:
            if first.code not in PROVIDER_DOWN:
                raise
            return await self._instead(other, asked, first)

    async def _instead(self, other: str, asked: Asked, first: ActivityError) -> Result:
        """The output by the fallback. Where that cannot answer either, the error that may pass is told, with the other one beside it."""
        try:
            return await self._go_by(other, asked, asked.ends_at - _now())
        except ActivityError as second:
            if second.code not in PROVIDER_DOWN:
                raise
            told, beside, name = (second, first, asked.with_.connection) if first.permanent else (first, second, other)
            message = f"{told.message} ({name}: {beside.message})"
            details = {**told.details, "other": {"connection": name, "code": beside.code}}
            raise ActivityError(told.code, message, permanent=told.permanent, details=details, retry_after_s=told.retry_after_s) from second

    async def _go_by(self, name: str, asked: Asked, time_s: float) -> Result:
        """The output by one connection, within so much time."""
        tenant = asked.call.tenant
        try:
            async with asyncio.timeout(max(time_s, 0.0)):
                output = await self._answered(name, asked, time_s)
        except TimeoutError as error:
            self._breaker.failed(tenant, name)
            message = f"the model of connection {name!r} gave no answer in time; ask for less, or raise `timeout_s`"
            raise ActivityError("ai_timeout", message, details={"connection": name}) from error
        except ActivityError as error:
            if error.code in PROVIDER_DOWN:
                self._breaker.failed(tenant, name)
            raise
        self._breaker.answered(tenant, name)
        return output

    async def _answered(self, name: str, asked: Asked, time_s: float) -> Result:
        call, with_ = asked.call, asked.with_
        model = model_of(await asked.plug.connection(call, name), with_.tier)
        mark = mark_of(model.key, call.key)
        try:
            prompt = prompt_of(asked.task, mark, with_.instructions, int(with_.max_output_tokens), with_.temperature)
        except TooMuchData as error:
            raise refused(call, "input", str(error)) from error
        reply = await self._said(model, prompt, call.key, asked, time_s)
        try:
            return self._output(reply, mark, model, asked)
        except Wrong as wrong:
            mended = await self._said(model, repair_of(prompt, reply, str(wrong)), f"{call.key}:repair", asked, time_s)
        try:
            return self._output(mended, mark, model, asked)
        except Wrong as wrong:
            message = f"the model's answer is not what was asked for, nor was the repaired one: {wrong}"
            details = {"usage": asked.spent.usage(model)}
            raise ActivityError("ai_invalid", message[:1000], permanent=True, details=details) from wrong

    def _output(self, reply: Reply, mark: str, model: Model, asked: Asked) -> Result:
        task = asked.task
        answer = answer_in(reply, mark, json=task.schema is not None, may_be_cut=task.may_be_cut)
        cut = {"truncated": reply.finish == "length"} if task.may_be_cut else {}
        return {**checked(task, asked.check, answer), **cut, "usage": asked.spent.usage(model)}

    async def _said(self, model: Model, prompt: Prompt, key: str, asked: Asked, time_s: float) -> Reply:
        """A model's reply, paid for. Raises: ActivityError."""
        at_risk = await _within_budget(model, prompt, asked)
        provider = PROVIDERS[model.provider]
        try:
            answer = await asked.plug.send(asked.call, provider.request(model, prompt, key, max(time_s, 0.001)), model.connection)
        except ActivityError:
            asked.spent.at_risk += at_risk
            raise
        if answer.status != 200:
            raise status_error(answer, model.provider)
        try:
            reply = provider.read(answer)
        except Unreadable as error:
            asked.spent.at_risk += at_risk
            message = f"the answer of {model.provider} is no completion: {str(error)[:200]}"
            raise ActivityError("ai_bad_response", message) from error
        await asked.spent.add(model, reply)
        return reply


async def _within_budget(model: Model, prompt: Prompt, asked: Asked) -> Decimal:
    """What a call can cost at most, 0 where nobody bounds it. Raises: ActivityError `ai_over_budget`."""
    bound = asked.with_.max_cost
    if bound is None:
        return Decimal(0)
    most, spent = await prices.most(model, prompt), asked.spent.cost
    if most is None or spent is None:
        message = f"the price of {model.name} is not known, so `max_cost` cannot be kept; give it in the connection's `prices`"
        raise ActivityError("ai_over_budget", message, permanent=True, details={"model": model.name})
    if (together := spent + asked.spent.at_risk + most) > Decimal(str(bound)):
        message = f"it may cost {together:f} US dollars, and `max_cost` is {bound:g}; lower `max_output_tokens`, give less data or raise it"
        raise ActivityError("ai_over_budget", message, permanent=True, details={"most": float(together), "max_cost": bound})
    return most


def _now() -> float:
    return asyncio.get_running_loop().time()
