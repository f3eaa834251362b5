"""Budgets for models, answers that stand, and what is told of each call: by a worker's accounts on a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.ai import WITH
from weft_connectors.ai.accounts import ModelCall, Used
from weft_connectors.ai.calling import Asker
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug, plugged, trial
from weft_contracts.ai import AiCalled, BudgetChanged
from weft_engine.budgets import Standing, refused, sparing
from weft_engine.budgets.accounts import GONE_AFTER, BudgetAccounts, settle_expired
from weft_engine.store import ai_answers
from weft_engine.tables import ai_answers as answers_table
from weft_runtime.database.engine import Database
from weft_runtime.testing import said, tell

from tests.connectors.ai.conftest import connection
from tests.connectors.ai.fakes import Fail, Provider, Says, openai
from tests.services.engine.conftest import Engine

CLASSIFY: dict[str, Any] = {"connection": "brain", "input": "{{ input.text }}", "categories": ["urgent", "other"]}
URGENT = json.dumps({"category": "urgent", "confidence": 0.8, "reason": "It says so."})
PRICES = {"gpt-small": {"input": 1.0, "output": 1.0}, "gpt-large": {"input": 100.0, "output": 100.0}}
COST = Decimal("0.000018")
"""Of an answer of the fake by `gpt-small`: 11 tokens and 7."""


@pytest.fixture
async def brain(engine: Engine, working: Callable[..., None]) -> AsyncIterator[Provider]:
    """A provider, and a worker that asks it for every tenant by the connection `brain`, with the accounts that the mesh's own has."""
    async with openai(URGENT) as fake:

        async def read(tenant: str, name: str) -> OpenConnection:
            models = {"default": "gpt-small", "premium": "gpt-large"}
            return connection(fake, name=name, models=models, prices={} if tenant == "unpriced" else PRICES)

        asker = Asker(accounts=BudgetAccounts(engine.service.context))
        plug = Plug(allow_private=True, connections=read)
        working("default", **plugged(plug, {name: asker.action(with_) for name, with_ in WITH.items()}))
        yield fake
        await plug.aclose()


async def budget(engine: Engine, limit: str, **more: Any) -> BudgetChanged:
    given = {"budget_id": uuid4(), "revision": 1, "period": "month", "at": engine.service.clock.now(), "limit": Decimal(limit), **more}
    changed = BudgetChanged(**given)
    await tell(engine.service, changed, tenant=engine.tenant)
    return changed


async def classified(engine: Engine, slug: str = "", text: str = "Now!", **more: Any) -> Any:
    """The one step of an execution that asks a model, once it has ended. slug: of a workflow for each such `with`."""
    slug = slug or "-".join(["sort", *sorted(more)]).replace("_", "-")
    await engine.publish(slug, nodes=[{"id": "sort", "type": "ai.classify", "with": {**CLASSIFY, **more}, "retry": {"attempts": 1}}])
    execution = await engine.start(slug, input={"text": text})
    await engine.ended(execution)
    (step,) = await engine.steps(execution)
    return step


def told(engine: Engine) -> list[AiCalled]:
    return said(engine.service, AiCalled, tenant=engine.tenant)


async def used(engine: Engine) -> Decimal:
    """What is spent and reserved of a tenant."""
    async with engine.service.context.owner_transaction() as uow:
        query = "SELECT (SELECT coalesce(sum(spent), 0) FROM engine.ai_spending WHERE tenant_id = :tenant)"
        query += " + (SELECT coalesce(sum(amount), 0) FROM engine.ai_reservations WHERE tenant_id = :tenant)"
        return Decimal((await uow.conn.execute(sa.text(query), {"tenant": engine.tenant})).scalar_one())


async def test_each_call_is_settled_by_what_the_provider_told_and_told_of_once(engine: Engine, brain: Provider) -> None:
    mine = Engine(engine.service, "told")
    await budget(mine, "1")
    brain.next.appendleft("no JSON at all")
    step = await classified(mine)
    assert (step["output"]["result"], step["output"]["usage"]["calls"], step["output"]["usage"]["cached"]) == ("urgent", 2, False)
    calls = told(mine)
    assert [(one.outcome, one.repair, one.cost, one.input_tokens, one.output_tokens) for one in calls] == [
        ("answered", False, COST, 11, 7), ("answered", True, COST, 11, 7),
    ]  # fmt: skip
    assert {(one.workflow, one.node, one.action, one.connection, one.provider, one.model) for one in calls} == {
        ("sort", "sort", "ai.classify", "brain", "openai", "gpt-small")
    }
    assert await used(mine) == 2 * COST


async def test_a_worker_counts_calls_tokens_cost_and_time(engine: Engine, brain: Provider) -> None:
    def counted() -> list[float]:
        labels = {"provider": "openai"}
        by = [("calls", {**labels, "outcome": "answered"}), ("repairs", labels), ("tokens", {**labels, "direction": "input"})]
        found = [REGISTRY.get_sample_value(f"weft_ai_{name}_total", of) or 0.0 for name, of in by]
        return [*found, REGISTRY.get_sample_value("weft_ai_cost_dollars_total", labels) or 0.0,
                REGISTRY.get_sample_value("weft_ai_call_seconds_count", labels) or 0.0]  # fmt: skip

    before = counted()
    brain.next.appendleft("no JSON at all")
    await classified(Engine(engine.service, "metrics"))
    assert [now - then for now, then in zip(counted(), before, strict=True)] == pytest.approx([2, 1, 22, float(2 * COST), 2])


async def test_over_a_budget_a_node_fails_for_good_and_an_enhanced_one_does_its_own_work(engine: Engine, brain: Provider) -> None:
    mine = Engine(engine.service, "ai-over")
    kept = await budget(mine, "0.0001", workflow="sort")
    step = await classified(mine)
    assert (step["status"], step["error"]["code"], step["error"]["permanent"]) == ("failed", "ai_over_budget", True)
    assert step["error"]["details"]["budget_id"] == str(kept.budget_id)
    assert brain.asked == []
    assert [(one.outcome, one.code, one.cost) for one in told(mine)] == [("refused", "ai_over_budget", Decimal(0))]
    assert (await classified(mine, "beside"))["output"]["result"] == "urgent"  # the budget is of the other workflow
    await tell(mine.service, kept.model_copy(update={"revision": 2, "enabled": False}), tenant=mine.tenant)
    await tell(mine.service, kept, tenant=mine.tenant)  # an older word changes nothing
    assert (await classified(mine))["output"]["result"] == "urgent"
    await tell(mine.service, kept.model_copy(update={"revision": 3, "workflow": None}), tenant=mine.tenant)
    enhance = {"type": "ai.classify", "min_tier": "standard", "with": CLASSIFY}
    await mine.publish("better", nodes=[{"id": "label", "type": "transform", "with": {"expression": "'own'"}, "enhance": enhance}])
    execution = await mine.start("better", input={"text": "Now!"})
    assert (await mine.ended(execution))["status"] == "completed"
    (enhanced,) = await mine.steps(execution)
    assert (enhanced["output"], enhanced["enhancement"]["reason"]) == ("own", "over_budget")


async def test_calls_at_once_never_reserve_more_than_there_is(engine: Engine) -> None:
    mine = Engine(engine.service, "at-once")
    await budget(mine, "1")
    accounts = BudgetAccounts(mine.service.context)
    asked = ModelCall("brain", "openai", "gpt-small", Decimal("0.03"))

    async def one() -> bool:
        call = trial("ai.generate", {})
        try:
            await accounts.reserve(_of(mine, call), asked)
        except ActivityError as error:
            assert error.code == "ai_over_budget"
            return False
        return True

    made = await asyncio.gather(*(one() for _ in range(50)))
    assert (sum(made), await used(mine)) == (33, Decimal("0.99"))


async def test_what_is_not_answered_counts_as_what_it_could_cost_and_what_was_not_taken_as_nothing(engine: Engine, brain: Provider) -> None:
    mine = Engine(engine.service, "silent")
    await budget(mine, "1")
    brain.next.extendleft([Says(URGENT, input_tokens=0, output_tokens=0), Fail(503), Fail(raw=b"{}", status=200)])
    for _ in range(3):
        await classified(mine)
    calls = told(mine)
    assert [(one.outcome, one.code) for one in calls] == [
        ("unanswered", "ai_bad_response"),
        ("failed", "ai_unavailable"),
        ("answered", None),
    ]
    silent, refused_, secretive = (one.cost or Decimal(0) for one in calls)
    assert silent > COST and secretive > COST and refused_ == 0
    assert await used(mine) == silent + secretive


async def test_a_call_whose_worker_is_gone_is_settled_as_the_most_that_it_can_have_cost(engine: Engine) -> None:
    mine = Engine(engine.service, "gone")
    accounts = BudgetAccounts(mine.service.context)
    call, asked = _of(mine, trial("ai.generate", {})), ModelCall("brain", "openai", "gpt-small", Decimal("0.25"))
    reserved = await accounts.reserve(call, asked)
    await settle_expired(mine.service.context)
    assert told(mine) == []
    mine.service.clock.advance(GONE_AFTER + timedelta(seconds=1))
    await settle_expired(mine.service.context)
    await accounts.settle(call, asked, reserved, _answered())  # it comes late, and changes nothing
    (told_of,) = told(mine)
    assert (told_of.call_id, told_of.outcome, told_of.cost, await used(mine)) == (reserved, "unanswered", Decimal("0.25"), Decimal("0.25"))


async def test_without_a_price_a_hard_budget_lets_nothing_pass_and_without_a_budget_it_does_not_matter(
    engine: Engine, brain: Provider
) -> None:
    mine = Engine(engine.service, "unpriced")
    assert (await classified(mine))["output"]["usage"]["cost"] is None
    await budget(mine, "1000")
    step = await classified(mine)
    assert (step["error"]["code"], "price of gpt-small is not known" in step["error"]["message"]) == ("ai_over_budget", True)
    assert [one.cost for one in told(mine)] == [None, 0]


async def test_a_budget_that_wants_to_be_spared_has_cheaper_models_asked(engine: Engine, brain: Provider) -> None:
    mine = Engine(engine.service, "sparing")
    kept = await budget(mine, "1", hard=False, saving_from=0.001, saving_tier="standard")
    assert (await classified(mine, tier="premium"))["output"]["usage"]["model"] == "gpt-large"
    assert (await classified(mine, tier="premium"))["output"]["usage"]["model"] == "gpt-small"
    await tell(mine.service, kept.model_copy(update={"revision": 2, "enabled": False}), tenant=mine.tenant)
    assert (await classified(mine, tier="premium"))["output"]["usage"]["model"] == "gpt-large"


async def test_an_answer_stands_for_the_same_question_of_the_same_tenant_as_long_as_asked(engine: Engine, brain: Provider) -> None:
    mine, other = Engine(engine.service, "remembers"), Engine(engine.service, "remembers-not")
    first = await classified(mine, cache_s=3600)
    again = await classified(mine, cache_s=3600)
    assert (first["output"]["result"], again["output"]["result"], len(brain.asked)) == ("urgent", "urgent", 1)
    usage = again["output"]["usage"]
    assert (usage["cached"], usage["calls"], usage["cost"], usage["input_tokens"]) == (True, 0, 0, 0)
    brain.next[0] = json.dumps({"category": "other", "confidence": 0.1, "reason": "No."})
    for step in (
        await classified(mine, cache_s=3600, text="Later."),
        await classified(mine, cache_s=3600, temperature=1),
        await classified(mine, cache_s=3600, instructions="Be strict."),
        await classified(mine),
        await classified(other, cache_s=3600),
    ):
        assert (step["output"]["result"], step["output"]["usage"]["cached"]) == ("other", False)
    mine.service.clock.advance(timedelta(seconds=3601))
    assert (await classified(mine, cache_s=3600))["output"]["result"] == "other"
    assert [one.outcome for one in told(mine)] == ["answered", "cached", *["answered"] * 5]


async def test_where_the_database_does_not_answer_nobody_is_asked_and_what_was_paid_for_is_given_all_the_same(engine: Engine) -> None:
    nowhere = "postgresql://nobody:nothing@127.0.0.1:9/nothing"
    accounts = BudgetAccounts(replace(engine.service.context, database=Database(nowhere, nowhere, "engine")))
    call, asked = trial("ai.generate", {}), ModelCall("brain", "openai", "gpt-small", Decimal("0.1"))
    for needed in (accounts.tier(call, None), accounts.reserve(call, asked)):
        with pytest.raises(ActivityError) as error:
            await needed
        assert (error.value.code, error.value.permanent) == ("ai_budget_unavailable", False)
    await accounts.settle(call, asked, uuid4(), _answered())
    await accounts.note(call, asked, Used("cached"))
    await accounts.remember(call, "key", {"result": 1}, 60)
    assert await accounts.recall(call, "key") is None


async def test_so_many_answers_of_a_tenant_are_kept_and_the_oldest_go(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ai_answers, "MOST", 2)
    call, accounts = _of(Engine(engine.service, "few"), trial("ai.generate", {})), BudgetAccounts(engine.service.context)
    for key in ("a", "b", "c"):
        await accounts.remember(call, key, {"result": key}, 60)
        engine.service.clock.advance(timedelta(seconds=1))
    assert [await accounts.recall(call, key) for key in ("a", "b", "c")] == [None, {"result": "b"}, {"result": "c"}]
    await accounts.remember(call, "long", {"result": "x" * 70_000}, 60)
    assert await accounts.recall(call, "long") is None
    engine.service.clock.advance(timedelta(seconds=61))
    async with engine.service.context.owner_transaction() as uow:
        await ai_answers.forget(uow)
        left = sa.select(sa.func.count()).select_from(answers_table).where(answers_table.c.tenant_id == "few")
        assert (await uow.conn.execute(left)).scalar_one() == 0


amounts = st.decimals("0.01", "100", places=2)


@given(amounts, st.lists(st.tuples(amounts, amounts), max_size=40), st.booleans())
def test_no_order_of_calls_brings_a_hard_budget_beyond_its_limit(limit: Decimal, calls: list[tuple[Decimal, Decimal]], hard: bool) -> None:
    """Each is a pair: what it may cost at most, and what it came to, which is no more."""
    taken = Decimal(0)
    for most, came_to in calls:
        budget_ = Standing(UUID(int=1), None, "month", limit, hard, None, None, taken)
        refusal = refused([budget_], most, "m")
        assert (refusal is not None) == (hard and taken + most > limit)
        if refusal is None:
            taken += min(most, came_to)
    assert not hard or taken <= limit


@given(
    st.sampled_from([None, "free", "standard", "premium", "enterprise", "own"]), st.sampled_from(["free", "standard", "premium"]), amounts
)
def test_sparing_asks_a_lower_tier_and_never_a_higher_one(tier: str | None, saving: str, spent: Decimal) -> None:
    budget_ = Standing(UUID(int=1), "w", "day", Decimal(50), False, 0.5, saving, spent)
    order = [None, "free", "standard", "premium", "enterprise", "own"]
    found = sparing([budget_], tier)
    assert order.index(found) <= order.index(tier)
    assert (found == tier) or (spent >= 25 and found == saving)


def _of(engine: Engine, call: ActivityCall) -> ActivityCall:
    return replace(call, tenant=engine.tenant)


def _answered() -> Used:
    return Used("answered", Decimal("0.01"), 11, 7)
