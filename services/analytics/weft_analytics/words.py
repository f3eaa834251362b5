"""Which words are common, by the statistics of the database: read now and then, kept in this process."""

from __future__ import annotations

import time
from typing import Final

from weft_runtime.context import ServiceContext
from weft_runtime.errors import StaleWrite, Unavailable

from weft_analytics.store.listing import NO_WORDS, Words, common_words

TTL_S: Final = 60.0


class CommonWords:
    """What is known of words, at most `TTL_S` old."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._known = NO_WORDS
        self._read_at = float("-inf")

    async def known(self) -> Words:
        """What is known. Who asks first after a while reads it anew; where that cannot be, what was known before stays."""
        if time.monotonic() - self._read_at >= TTL_S:
            self._read_at = time.monotonic()
            try:
                async with self._context.owner_transaction() as uow:
                    self._known = await common_words(uow)
            except (Unavailable, StaleWrite):
                self._context.log.warning("words not counted", again_in_s=TTL_S)
        return self._known
