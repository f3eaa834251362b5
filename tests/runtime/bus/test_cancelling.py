"""A cancel that comes with the answer of the broker, or before there is one: whoever was cancelled ends.

The client library alone would not let it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from weft_runtime.bus.rabbit.asking import asking, letting_go
from weft_runtime.bus.rabbit.link import Link

PATIENCE_S = 60.0


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


async def test_a_connection_that_is_given_up_while_it_is_made_leaves_nothing() -> None:
    called = asyncio.Event()

    async def says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(says_nothing, "127.0.0.1", 0)
    link = Link(f"amqp://a:b@127.0.0.1:{server.sockets[0].getsockname()[1]}/", name="test", middlewares=(), on_lost=lambda: None)
    before = asyncio.all_tasks()
    connecting = asyncio.create_task(link.connect())
    await called.wait()

    connecting.cancel()
    await asyncio.wait([connecting])

    left = asyncio.all_tasks() - before
    assert connecting.cancelled()
    assert not left or not (await asyncio.wait(left, timeout=PATIENCE_S))[1]
    server.close()
