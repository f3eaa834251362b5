"""From a journal to a state, where a mistake of ours may have made the journal one that tells none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from weft_engine.core.entries import Row
from weft_engine.core.evolve import fold
from weft_engine.core.state import State

BUGS: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What our own mistakes raise in the pure core: they stop one item, never its neighbours."""

log = structlog.get_logger(__name__)


def folded(execution_id: UUID, rows: Sequence[Row]) -> State | None:
    """The state that a journal tells; None where it is empty, or cannot be understood: nothing can be done with that execution then."""
    try:
        return fold(execution_id, rows)
    except BUGS:
        log.exception("journal_not_understood", execution=str(execution_id))
        return None
