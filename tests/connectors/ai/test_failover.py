"""When a provider fails: the code authors know, how long to wait, the other provider, and what may be spent."""

from decimal import Decimal
from typing import Any

import pytest
from weft_connectors.activity import Activities, ActivityError
from weft_connectors.ai import prices
from weft_connectors.ai.breaker import MOST, REST_S, THRESHOLD, Breaker
from weft_connectors.ai.calling import Asker
from weft_connectors.ai.port import Model, Prompt, Said
from weft_connectors.ai.trying import try_ai
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug
from weft_language.actions.ai import ERRORS

from tests.connectors.ai.conftest import Ask, asking, connection
from tests.connectors.ai.fakes import Fail, Says, anthropic, openai

WRITE = {"instructions": "Write."}


async def failed(ask: Ask, *connections: OpenConnection, **given: Any) -> ActivityError:
    with pytest.raises(ActivityError) as failure:
        await ask("generate", *connections, **{**WRITE, **given})
    return failure.value


@pytest.mark.parametrize(
    ("fail", "code", "permanent", "retry_after_s"),
    [
        (Fail(429, "rate_limit_exceeded", retry_after="7"), "ai_rate_limited", False, 7.0),
        (Fail(429, "insufficient_quota"), "ai_unauthorized", True, None),
        (Fail(500), "ai_unavailable", False, None),
        (Fail(529, "overloaded_error", retry_after="3"), "ai_unavailable", False, 3.0),
        (Fail(401, "invalid_api_key"), "ai_unauthorized", True, None),
        (Fail(404, "model_not_found"), "ai_bad_request", True, None),
        (Fail(302, "moved"), "ai_bad_response", False, None),
    ],
)
async def test_what_a_provider_says_is_a_code_that_retries_know(
    fail: Fail, code: str, permanent: bool, retry_after_s: float | None, ask: Ask
) -> None:
    async with openai(fail) as fake:
        error = await failed(ask, connection(fake))

    assert (error.code, error.permanent, error.retry_after_s) == (code, permanent, retry_after_s)
    assert code in dict(ERRORS)


async def test_a_provider_that_says_nothing_is_late(ask: Ask) -> None:
    async with openai(Fail(wait=True)) as fake:
        error = await failed(ask, connection(fake), timeout_s=0.05)

    assert (error.code, error.permanent) == ("ai_timeout", False)


@pytest.mark.parametrize("fail", [Fail(503), Fail(429), Fail(401), Fail(200, half=True)])
async def test_where_one_provider_is_down_the_other_answers(fail: Fail, ask: Ask) -> None:
    async with openai(fail) as down, anthropic("from the other") as up:
        output = await ask("generate", connection(down), connection(up, "anthropic", "spare"), fallback="spare", **WRITE)

    assert (output["result"], output["usage"]["connection"]) == ("from the other", "spare")


async def test_a_silent_provider_leaves_time_for_the_other() -> None:
    async with anthropic(Fail(wait=True)) as silent, openai("in time") as up, asking(Asker(first_share=0.001)) as ask:
        first = connection(silent, "anthropic")
        output = await ask("generate", first, connection(up, name="spare"), fallback="spare", timeout_s=100, **WRITE)

    assert output["result"] == "in time"


async def test_what_another_provider_would_do_no_better_is_not_asked_of_it(ask: Ask) -> None:
    async with openai(Says(None, refusal="No.")) as refusing, anthropic("yes") as other:
        error = await failed(ask, connection(refusing), connection(other, "anthropic", "spare"), fallback="spare")

    assert (error.code, other.asked) == ("ai_refused", [])


async def test_where_both_are_down_the_error_that_may_pass_is_told(ask: Ask) -> None:
    async with openai(Fail(401, "invalid_api_key")) as one, anthropic(Fail(503)) as two:
        error = await failed(ask, connection(one), connection(two, "anthropic", "spare"), fallback="spare")

    assert (error.code, error.permanent, error.details["other"]) == (
        "ai_unavailable",
        False,
        {"connection": "brain", "code": "ai_unauthorized"},
    )


async def test_a_provider_that_keeps_failing_is_left_alone_where_there_is_another(ask: Ask) -> None:
    async with openai(Fail(503)) as down, anthropic("up") as up:
        spare = connection(up, "anthropic", "spare")
        for _ in range(THRESHOLD + 2):
            await ask("generate", connection(down), spare, fallback="spare", **WRITE)
        await failed(ask, connection(down))

    assert (len(down.asked), len(up.asked)) == (THRESHOLD + 1, THRESHOLD + 2)


def test_a_breaker_tries_again_after_its_rest_and_forgets_what_answered() -> None:
    time = [0.0]
    breaker = Breaker(lambda: time[0])
    for _ in range(THRESHOLD):
        breaker.failed("acme", "brain")
    closed_for_others = breaker.is_open("other", "brain")
    was = breaker.is_open("acme", "brain")
    time[0] = REST_S
    tried = breaker.is_open("acme", "brain")
    breaker.failed("acme", "brain")
    again = breaker.is_open("acme", "brain")
    breaker.answered("acme", "brain")

    assert (closed_for_others, was, tried, again, breaker.is_open("acme", "brain")) == (False, True, False, True, False)
    for number in range(MOST + 1):
        for _ in range(THRESHOLD):
            breaker.failed("acme", str(number))
    assert (breaker.is_open("acme", "0"), breaker.is_open("acme", "1")) == (False, True)


async def test_what_may_cost_more_than_is_allowed_is_not_asked(ask: Ask) -> None:
    async with openai("cheap") as fake:
        output = await ask("generate", connection(fake), max_cost=0.02, max_output_tokens=1000, **WRITE)
        error = await failed(ask, connection(fake), max_cost=0.01, max_output_tokens=1000)

    assert (output["result"], error.code, error.permanent, len(fake.asked)) == ("cheap", "ai_over_budget", True, 1)


async def test_a_repair_and_a_fallback_count_against_the_same_bound(ask: Ask) -> None:
    async with openai(Says("", output_tokens=900), "never asked") as fake, openai(Fail(200, half=True)) as broken:
        repair = await failed(ask, connection(fake), max_cost=0.012, max_output_tokens=1000)
        spare = connection(fake, name="spare")
        instead = await failed(ask, connection(broken), spare, fallback="spare", max_cost=0.015, max_output_tokens=1000)

    assert (repair.code, instead.code, len(fake.asked)) == ("ai_over_budget", "ai_over_budget", 1)


async def test_without_a_price_a_bound_cannot_be_kept_and_the_cost_is_not_told(ask: Ask) -> None:
    async with openai("free?") as fake:
        unpriced = connection(fake, "openai-compatible", prices={})
        output = await ask("generate", unpriced, **WRITE)
        error = await failed(ask, unpriced, max_cost=1)

    assert (output["usage"]["cost"], error.code) == (None, "ai_over_budget")


async def test_prices_that_a_connection_does_not_give_are_those_of_the_public_table() -> None:
    model = Model(OpenConnection("brain", "ai", {}, {}), "openai", "gpt-4o", "")
    prompt = Prompt("s" * 700, (Said("user", "ü" * 22),), 1000)
    unknown = Model(OpenConnection("brain", "ai", {}, {}), "anthropic", "no-such-model", "")

    assert await prices.cost(model, 1000, 100) == Decimal("0.0035")
    assert await prices.most(model, prompt) == Decimal("0.0125")
    assert await prices.cost(unknown, 1, 1) is None


async def test_a_private_address_is_not_reached_unless_it_is_allowed() -> None:
    async with openai("inside") as fake:
        with pytest.raises(ActivityError) as failure:
            await try_ai(connection(fake), Plug(allow_private=False))

    assert (failure.value.code, fake.server.connections) == ("ai_blocked", 0)


async def test_trying_a_connection_costs_nothing_and_tells_whether_its_key_is_taken() -> None:
    plug = Plug(allow_private=True)
    async with openai("unasked") as one, anthropic("unasked") as two:
        good = [await try_ai(connection(one), plug), await try_ai(connection(two, "anthropic"), plug)]
        bad = await try_ai(OpenConnection("brain", "ai", connection(one).settings, {"api_key": "sk-wrong"}), plug)
        await plug.aclose()

    assert [tried.ok for tried in good] == [True, True]
    assert (bad.ok, bad.code, bad.status, "sk-wrong" in bad.detail) == (False, "ai_unauthorized", 401, False)
    assert one.asked == two.asked == []


def test_the_actions_are_found_by_their_entry_point() -> None:
    found = Activities.installed(allow_private_addresses=True)

    assert {name for name in found.by_name if name.startswith("ai.")} == {f"ai.{verb}" for verb in VERBS}


VERBS = ("generate", "classify", "summarize", "extract", "personalize")
