"""The core with tighter bounds than its own, so that programs of a few nodes come to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from weft_engine.core import running
from weft_engine.core.turn import RUNAWAY


@contextmanager
def bounds(*, transition: int = running.MAX_TRANSITION, runaway: int = RUNAWAY) -> Iterator[None]:
    """transition: entries of one, from 2 on: that it goes on is one itself.  runaway: visits without a wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "MAX_TRANSITION", transition)
        patch.setattr(running, "RUNAWAY", runaway)
        yield
