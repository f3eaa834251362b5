"""Type `resend`: mails by Resend, going out and coming in."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field
from weft_connectors.email.addresses import SENDER
from weft_connectors.http.connecting import place_of

from weft_engine.connections.kinds.settings import HttpsAddress, Settings, Wanted


class ResendSettings(Settings):
    """How Resend is reached. base_url: its own, unless calls go by a gateway.  from: whom mails are from that do not say it.

    Its key sends mails and fetches those that came in; the secret of its webhook verifies that Resend tells of them.
    """

    model_config = ConfigDict(serialize_by_alias=True)
    told_sealed: ClassVar[bool] = True

    base_url: HttpsAddress = "https://api.resend.com"
    sender: str | None = Field(default=None, alias="from", max_length=400, pattern=SENDER)

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted(("api_key",), ("api_key", "webhook_secret", "previous_webhook_secret"))

    def sends_to(self) -> str:
        """The origin that the key goes to."""
        return place_of(self.base_url)
