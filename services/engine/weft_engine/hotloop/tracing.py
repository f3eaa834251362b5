"""Traces of the hot loop: a span for each item of the few executions whose trace is recorded."""

from __future__ import annotations

from datetime import datetime

from opentelemetry.trace import SpanKind
from weft_language.compilation import Program
from weft_runtime.telemetry import span

from weft_engine.core.claims import Claimed
from weft_engine.core.context import Context
from weft_engine.hotloop.arrivals import Piece
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.owned import Held


def sampled(piece: Piece) -> bool:
    """Whether an item's trace is recorded: the last bit of its `traceparent`'s flags. Source: W3C Trace Context."""
    traceparent = piece.item.traceparent if piece.item is not None else None
    return traceparent is not None and traceparent[-1:] in "13579bdf"


def decide_traced(turnout: Turnout, piece: Piece, held: Held | None, program: Program, context: Context, now: datetime) -> Claimed | None:
    """Decide within a span of the item's trace, for the few executions whose trace is recorded."""
    about = {"weft.tenant": piece.tenant, "weft.execution": str(piece.execution_id), "weft.workflow": program.slug}
    word = type(piece.happening).__name__
    traceparent = piece.item.traceparent if piece.item is not None else None
    with span(f"engine {word}", kind=SpanKind.CONSUMER, traceparent=traceparent, attributes=about):
        return turnout.decide(piece, held, program, context, now)
