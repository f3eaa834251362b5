"""How much computing a thing may take, however busy the machine is and whatever else goes on in the process."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def computing_at_most(seconds: float) -> Iterator[None]:
    """What is done within computes for no longer.

    It counts what this thread computes, and does not collect garbage meanwhile: other tests of the process leave it threads that go on,
    and so many objects that going through them takes a part of a second at a moment that has nothing to do with what is measured.
    """
    gc.disable()
    began = time.thread_time()
    try:
        yield
        took = time.thread_time() - began
    finally:
        gc.enable()
    assert took < seconds, f"it computed for {took:.2f} s"
