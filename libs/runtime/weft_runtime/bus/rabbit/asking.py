"""What the client library raises when the broker is gone or going, turned into one error of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiormq.exceptions import AMQPError

from weft_runtime.errors import Unavailable

BROKER_ERRORS = (AMQPError, OSError, TimeoutError, RuntimeError, asyncio.InvalidStateError)
"""`RuntimeError` is the library's word for a connection or channel that is closed."""


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Around calls of the library. what: what is asked of the broker, for the error's text. Raises: Unavailable."""
    before = _cancels()
    try:
        yield
    except BROKER_ERRORS as error:
        raise _unavailable(what, error) from error
    except asyncio.CancelledError as error:
        if _cancelled():
            raise
        raise _unavailable(what, error) from error
    _heed(before)


@contextmanager
def letting_go() -> Iterator[None]:
    """Around the closing of what may be broken: whatever the library raises, it is left behind."""
    before = _cancels()
    try:
        yield
    except Exception:  # noqa: BLE001, S110  FastStream raises groups of anything here, and nobody could do anything about it
        pass
    except asyncio.CancelledError:
        if _cancelled():
            raise
    _heed(before)


def _cancelled() -> bool:
    # The library answers calls on a closed connection with a CancelledError nobody asked for; taken for a real one it would
    # end the watchdog without a word. Guarded by tests/runtime/bus/test_broker_loss.py.
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _cancels() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _heed(before: int) -> None:
    # The library waits by `asyncio.wait_for`, which until Python 3.12 forgets a cancel that comes together with the answer
    # (python/cpython#86296): whoever was cancelled would go on for ever. Guarded by tests/runtime/bus/test_cancelling.py.
    if _cancels() > before:
        raise asyncio.CancelledError


def _unavailable(what: str, error: BaseException) -> Unavailable:
    return Unavailable(f"the broker did not {what} ({type(error).__name__}: {error}); it is tried again", code="broker_unavailable")
