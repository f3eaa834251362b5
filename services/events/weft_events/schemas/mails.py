"""HTTP views of mails."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from weft_events.schemas.events import ReceiptView
from weft_events.store.mails import Told


class NoticeReceiptView(ReceiptView):
    """What became of a provider's notice. ids: of the mail, the provider's.  log_ids: of the event it will be.

    ignored: the type of a notice that is of no mail that came in; nothing is made of it.
    """

    ignored: str | None = None


class MailErrorView(BaseModel):
    """Why a mail could not be fetched."""

    code: str
    message: str


class MailView(BaseModel):
    """A mail that a provider told of. id: of its event in the log, too, once it is `taken`.

    status: `waiting` to be fetched, `taken` into the log, `failed`: given up, until somebody asks for it again.
    """

    id: UUID
    status: Literal["waiting", "taken", "failed"]
    connection: str
    email_id: str = Field(description="The provider's id of it.")
    sender: str
    recipients: list[str]
    subject: str
    message_id: str | None
    received_at: datetime
    attempts: int = Field(description="Of fetching it, since it came or was asked for again.")
    next_at: datetime | None = Field(description="When it is fetched, while it is `waiting` and not `suspended`.")
    suspended: bool = Field(description="Its connection is suspended: it is fetched when that is lifted (DELETE /suspensions/{id}).")
    error: MailErrorView | None = Field(description="Of the newest attempt that failed.")
    duplicates: int = Field(description="How often it was told of again.")


def mail(told: Told) -> MailView:
    """A mail."""
    own = {
        name: getattr(told, name)
        for name in ("id", "status", "connection", "email_id", "received_at", "attempts", "duplicates", "suspended")
    }
    error = None if told.error is None else MailErrorView(**told.error)
    return MailView(**own, **told.notice, next_at=told.next_at if told.status == "waiting" else None, error=error)
