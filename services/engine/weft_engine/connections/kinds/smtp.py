"""Type `smtp`: mails by a mail server."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field
from weft_connectors.email.addresses import SENDER

from weft_engine.connections.kinds.settings import Settings, Wanted


class SmtpSettings(Settings):
    """How a mail server is reached.

    security: `starttls` begins in the clear and insists on TLS before anything is said, `tls` is TLS from the first byte, `none` is for
    servers that ask for no password.  port: 587, 465 or 25 by that, where it is left out.  from: whom mails are from that do not say it.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:\[\]-]+$")
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str | None = Field(default=None, alias="from", max_length=400, pattern=SENDER)

    def wanted(self) -> Wanted:
        """The secrets that go with these settings: a password is not sent in the clear."""
        return Wanted() if self.security == "none" else Wanted((), ("username", "password"))

    def sends_to(self) -> str:
        """The server that the password goes to."""
        return f"{self.security} {self.host.lower()}:{self.port}"
