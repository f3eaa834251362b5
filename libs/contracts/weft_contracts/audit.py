"""What analytics hears of what people do, for the audit: who did what, from where, before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from weft_contracts.message import Command


class Origin(BaseModel):
    """Where a deed came from, as far as it is known. The runtime fills it in where a route says a word."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["person", "key"] | None = Field(default=None, description="What did it: a person, or an API key.")
    owner: str | None = Field(default=None, description="Of an API key: the id of who made it.")
    tenant: str | None = Field(default=None, description="Of who did it, where it is another one: somebody who runs the installation.")
    ip: str | None = Field(default=None, description="The address that asked.")
    request_id: str | None = Field(default=None, description="Of the request, also in the log and in `X-Request-Id`.")
    trace_id: str | None = Field(default=None, description="Of the trace that it belongs to.")


class RecordAudit(Command):
    """Somebody did something: keep it in the audit of the tenant. Said in the transaction that does it.

    A command, since of a fact that nobody hears for a minute nothing is left, and what is audited must not be lost. Secrets are masked
    by the runtime, and do not belong here all the same.
    """

    type, version = "audit.record", 1
    owner: ClassVar[str] = "analytics"
    action: str = Field(description="Such as `draft.saved`.")
    resource_type: str
    resource_id: str
    before: dict[str, Any] | None = Field(default=None, description="What it was; null where it was not there.")
    after: dict[str, Any] | None = Field(default=None, description="What it is now; null where it is gone.")
    details: dict[str, Any] | None = Field(default=None, description="What else there is to tell, where it is no state.")
    at: datetime | None = Field(default=None, description="When; the time of the transaction where it is not told.")
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    via: str | None = Field(default=None, description="What they did it with, such as `link:` and a decision link's id.")
    origin: Origin | None = None
