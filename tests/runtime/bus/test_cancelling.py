"""A cancel that comes together with the broker's answer: whoever was cancelled ends, as the client library alone would not let it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from weft_runtime.bus.rabbit.asking import asking, letting_go


@pytest.mark.parametrize("around", [lambda: asking("answer"), letting_go], ids=["asking", "letting go"])
async def test_a_cancel_that_comes_with_the_answer_is_heeded(around: Callable[[], AbstractContextManager[None]]) -> None:
    answer = asyncio.get_running_loop().create_future()
    went_on = []

    async def call() -> None:
        with around():
            await asyncio.wait_for(answer, 5)  # as the library waits for what the broker says
        went_on.append(True)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    answer.set_result(None)
    task.cancel()
    await asyncio.wait([task])
    assert (task.cancelled(), went_on) == (True, [])


@pytest.mark.parametrize("around", [lambda: asking("answer"), letting_go], ids=["asking", "letting go"])
async def test_what_was_cancelled_before_may_still_close(around: Callable[[], AbstractContextManager[None]]) -> None:
    closed = []

    async def call() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            with around():
                await asyncio.sleep(0)
            closed.append(True)

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert (task.cancelled(), closed) == (True, [True])
