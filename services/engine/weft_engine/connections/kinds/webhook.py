"""Type `webhook`: who calls a webhook trigger, and how its calls are verified."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from weft_engine.connections.kinds.settings import HEADER, Settings, Wanted


class WebhookSettings(Settings):
    """How the calls of a webhook trigger are verified. header: where the signature stands, for `hmac-sha256`."""

    told_sealed: ClassVar[bool] = True

    header: str | None = Field(default=None, pattern=HEADER)

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted(("secret",), ("secret", "previous_secret"))
