"""What a call costs, in US dollars: by the connection's own prices, else by the public price table, which is read offline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, Final

from weft_connectors.ai.port import Model, Prompt

MILLION: Final = Decimal(1_000_000)
_SMALLEST: Final = Decimal("1e-12")
OVERHEAD_TOKENS: Final = 256
"""Of roles and frames around the texts of a prompt, at most."""


async def cost(model: Model, input_tokens: int, output_tokens: int) -> Decimal | None:
    """What so many tokens cost, to a millionth of a millionth; None where the model's price is not known."""
    exact = await _exact(model, input_tokens, output_tokens)
    return None if exact is None else exact.quantize(_SMALLEST)


async def _exact(model: Model, input_tokens: int, output_tokens: int) -> Decimal | None:
    own = model.connection.settings.get("prices", {}).get(model.name)
    if own is not None:
        return (Decimal(str(own["input"])) * input_tokens + Decimal(str(own["output"])) * output_tokens) / MILLION
    if model.provider == "openai-compatible":
        return None
    # Reading the table takes a second, once a process; the loop goes on meanwhile.
    table = await asyncio.to_thread(_table)
    return table(model, input_tokens, output_tokens)


async def most(model: Model, prompt: Prompt) -> Decimal | None:
    """What a call can cost at most: no model makes more tokens of a text than it has bytes, nor answers beyond its bound."""
    return await cost(model, prompt.size_bytes + OVERHEAD_TOKENS, prompt.max_output_tokens)


@cache
def _table() -> Callable[[Model, int, int], Decimal | None]:
    from genai_prices import Usage, calc_price

    def price(model: Model, input_tokens: int, output_tokens: int) -> Decimal | None:
        usage: Any = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        try:
            return Decimal(calc_price(usage, model_ref=model.name, provider_id=model.provider).total_price)
        except LookupError:
            return None

    return price
