"""The core with tighter bounds than its own, so that programs of a few nodes come to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from weft_engine.core import running


@contextmanager
def bounds(*, transition: int | None = None, runaway: int | None = None) -> Iterator[None]:
    """transition: entries of one, from 2 on: that it goes on is one itself.  runaway: visits without a wait. None: as it is."""
    with pytest.MonkeyPatch.context() as patch:
        if transition is not None:
            patch.setattr(running, "MAX_TRANSITION", transition)
        if runaway is not None:
            patch.setattr(running, "RUNAWAY", runaway)
        yield
