"""A flood of calls: each is answered, what was taken starts once, what was not leaves nothing, and others get their turn."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx2
from weft_runtime.testing import RunningService, tell

from tests.services.events.conftest import workflow
from tests.services.events.sender import HOOK, Sender
from tests.services.events.signing import connection

AT_ONCE = 25
DELIVERIES = 100
BUSY = (429, 503)
"""What a sender answers by sending again."""


async def delivered(sender: Sender, number: int, **how: str) -> list[int]:
    """Every answer to one delivery, sent until it is neither too many nor too busy."""
    answers: list[int] = []
    while not answers or answers[-1] in BUSY:
        answers.append((await sender.send(b'{"number": %d}' % number, delivery=f"d-{number}", **how)).status_code)
    return answers


async def test_a_flood_loses_nothing_takes_nothing_twice_and_starves_nobody(
    events: RunningService, sender: Sender, outside: httpx2.AsyncClient, tenant: str
) -> None:
    other = Sender(events, outside, f"{tenant}-x")
    hook = HOOK | {"input": {"number": "{{ trigger.payload.number }}"}}
    for one in (sender, other):
        await tell(events, connection(one.tenant), workflow(hook), tenant=one.tenant)
    # Each is sent twice, far apart, and every fifth call is of somebody who does not know the secret.
    waiting = [*range(DELIVERIES), *range(DELIVERIES)]
    answers: Counter[int] = Counter()
    begun, answered = asyncio.Event(), 0

    async def flooding() -> None:
        nonlocal answered
        while waiting:
            number = waiting.pop()
            answers.update(await delivered(sender, number))
            if number % 5 == 0:
                answers.update(await delivered(sender, DELIVERIES + number, secret="nobody's"))
            answered += 1
            if answered == AT_ONCE:
                begun.set()

    async def others() -> list[int]:
        """How much of the flood was answered when each call of another tenant was."""
        reader = events.client(other.tenant, ["service"])
        await begun.wait()
        seen = []
        for number in range(3):
            assert (await delivered(other, number))[-1] == 202
            seen.append(answered)
            assert (await reader.get(f"/api/v1/events/d-{number}")).status_code == 200
        return seen

    async with asyncio.TaskGroup() as together:
        looking = together.create_task(others())
        for _ in range(AT_ONCE):
            together.create_task(flooding())
    seen = looking.result()

    assert seen[0] < 2 * DELIVERIES, "another tenant had its turn while the flood went on"
    assert set(answers) - set(BUSY) == {200, 202, 401}
    assert (answers[202], answers[200], answers[401]) == (DELIVERIES, DELIVERIES, 2 * DELIVERIES // 5)
    assert sorted((start.input or {})["number"] for start in sender.starts()) == list(range(DELIVERIES))
    assert sorted((start.input or {})["number"] for start in other.starts()) == [0, 1, 2]
