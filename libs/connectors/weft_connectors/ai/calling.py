"""The actions: read the call, ask a model, check its answer, have it repaired once, ask another provider where the first cannot answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from weft_language.actions.ai.model import AiWith, Personal
from weft_language.json_schemas import InvalidSchema, SchemaCheck

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.ai.accounts import Accounts
from weft_connectors.ai.breaker import Breaker
from weft_connectors.ai.failing import PROVIDER_DOWN
from weft_connectors.ai.models import model_of
from weft_connectors.ai.paying import Purse
from weft_connectors.ai.port import Model, Reply
from weft_connectors.ai.prompting import TooMuchData, mark_of, prompt_of, repair_of
from weft_connectors.ai.redacting import Redaction, kinds_of, redacted
from weft_connectors.ai.remembering import key_of
from weft_connectors.ai.replies import answer_in
from weft_connectors.ai.tasks import Result, Task, Wrong, checked, task_of
from weft_connectors.plug import Plug, Run, given, refused

FIRST_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Asked:
    """One attempt at an action. ends_at: by the loop's time.  check: of the task's schema."""

    purse: Purse
    with_: AiWith
    check: SchemaCheck | None
    ends_at: float

    @property
    def call(self) -> ActivityCall:
        """What asks for it."""
        return self.purse.call


class Asker:
    """Asks models for all actions of a process.

    first_share: of the time, for the first provider where there is another one; 0..1.  accounts: of budgets, uses and answers.
    """

    def __init__(self, *, breaker: Breaker | None = None, first_share: float = FIRST_SHARE, accounts: Accounts | None = None) -> None:
        self._breaker = breaker or Breaker()
        self._first_share = first_share
        self._accounts = accounts

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
        asked = Asked(Purse(call, plug, with_.max_cost, self._accounts), with_, check, _now() + with_.timeout_s)
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
        if asked.purse.spent.calls:  # an answer of before tells nothing of the provider
            self._breaker.answered(tenant, name)
        return output

    async def _answered(self, name: str, asked: Asked, time_s: float) -> Result:
        """The output by one connection: one of before, where that is asked for and there is one."""
        call, with_, purse, accounts = asked.call, asked.with_, asked.purse, self._accounts
        tier = with_.tier if accounts is None else await accounts.tier(call, with_.tier)
        model = model_of(await purse.plug.connection(call, name), tier)
        kinds = kinds_of(with_, model.connection.settings.get("redact", ()))
        key = None if with_.cache_s is None or accounts is None else key_of(call.name, model, with_, kinds)
        if accounts is None or key is None or with_.cache_s is None:
            return {**await self._new(model, kinds, asked, time_s), "usage": purse.spent.usage(model)}
        if (before := await accounts.recall(call, key)) is not None:
            await purse.note_cached(model)
            return {**before, "usage": purse.spent.usage(model, cached=True)}
        result = await self._new(model, kinds, asked, time_s)
        await accounts.remember(call, key, result, with_.cache_s)
        return {**result, "usage": purse.spent.usage(model)}

    async def _new(self, model: Model, kinds: frozenset[Personal], asked: Asked, time_s: float) -> Result:
        """What a model answers, without what is told of its use. kinds: of personal data that does not leave."""
        call, purse = asked.call, asked.purse
        mark = mark_of(model.key, call.key)
        redaction = Redaction(kinds, mark[-4:])
        # Beside the loop: of the largest data, made to be slow, it takes a second.
        with_ = await asyncio.to_thread(redacted, asked.with_, redaction) if kinds else asked.with_
        task = task_of(with_)
        try:
            prompt = prompt_of(task, mark, with_.instructions, int(with_.max_output_tokens), with_.temperature)
        except TooMuchData as error:
            raise refused(call, "input", str(error)) from error
        reply = await purse.ask(model, prompt, call.key, time_s)
        try:
            return dict(redaction.into(_output(reply, mark, task, asked)))
        except Wrong as wrong:
            mended = await purse.ask(model, repair_of(prompt, reply, str(wrong)), f"{call.key}:repair", time_s, repair=True)
        try:
            return dict(redaction.into(_output(mended, mark, task, asked)))
        except Wrong as wrong:
            message = f"the model's answer is not what was asked for, nor was the repaired one: {wrong}"
            details = {"usage": purse.spent.usage(model)}
            raise ActivityError("ai_invalid", message[:1000], permanent=True, details=details) from wrong


def _output(reply: Reply, mark: str, task: Task, asked: Asked) -> Result:
    answer = answer_in(reply, mark, json=task.schema is not None, may_be_cut=task.may_be_cut)
    cut = {"truncated": reply.finish == "length"} if task.may_be_cut else {}
    return {**checked(task, asked.check, answer), **cut}


def _now() -> float:
    return asyncio.get_running_loop().time()
