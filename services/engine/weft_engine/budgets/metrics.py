"""What a worker counts of models. Names of models and tenants are many, so they are not in it: `/analytics/costs` tells those."""

from __future__ import annotations

from prometheus_client import Counter, Histogram
from weft_connectors.ai.accounts import Used

CALLS = Counter("weft_ai_calls_total", "Calls of models, by what they came to", ["provider", "outcome"])
REPAIRS = Counter("weft_ai_repairs_total", "Calls that had a wrong answer mended", ["provider"])
TOKENS = Counter("weft_ai_tokens_total", "Tokens that providers told of", ["provider", "direction"])
COST = Counter("weft_ai_cost_dollars_total", "What calls cost, in US dollars, where the price is known", ["provider"])
SECONDS = Histogram(
    "weft_ai_call_seconds", "How long calls of models took", ["provider"], buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
)


def counted(provider: str, used: Used, *, repair: bool) -> None:
    """Count a call."""
    CALLS.labels(provider, used.outcome).inc()
    if used.outcome in ("cached", "refused"):
        return
    if repair:
        REPAIRS.labels(provider).inc()
    TOKENS.labels(provider, "input").inc(used.input_tokens)
    TOKENS.labels(provider, "output").inc(used.output_tokens)
    COST.labels(provider).inc(float(used.cost or 0))
    SECONDS.labels(provider).observe(used.took_ms / 1000)
