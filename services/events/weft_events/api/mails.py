"""Mails over HTTP: providers tell of them, servers hand them in, people see what came of those that were told of."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import Response
from weft_runtime.auth import Permission
from weft_runtime.http import Context, Door, Listing, Page, RawBody, Several, Uow
from weft_runtime.http.strict_json import encode
from weft_runtime.sealing import Envelope

from weft_events import schemas, usecases
from weft_events.api.hooks import CALLS_PER_MINUTE, count, headers_of
from weft_events.domain import MAX_EVENT_BYTES
from weft_events.errors import MailNotFound, UnreadableMail, Unverified
from weft_events.fetching import MailWake
from weft_events.mails import MAX_BYTES, MailRefused, parse, resend
from weft_events.mails.mail import MAX_RECIPIENTS
from weft_events.reading import is_tenant
from weft_events.registry import REGISTRY
from weft_events.schemas import MailView, NoticeReceiptView
from weft_events.store import mails as store

door = Door("events")

TAKEN: Final[dict[str, Any]] = {"schema": {"$ref": "#/components/schemas/ReceiptView"}}
NOTICE: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "An event of Resend, signed as Svix does.",
        "content": {"application/json": {"schema": {"type": "object", "required": ["type", "created_at", "data"]}}},
    }
}
MAIL: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The mail as it travelled, headers and all.",
        "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}, "*/*": {}},
    }
}
AGAIN: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "It was taken before, or is of no mail that came in; it changed nothing.", "content": {"application/json": TAKEN}},
    202: {"description": "It is durable.", "content": {"application/json": TAKEN}},
}


async def _headers(request: Request) -> dict[str, list[str]]:
    return headers_of(request)


Headers = Annotated[dict[str, list[str]], Depends(_headers)]


@door.post(
    "/inbound/resend/{tenant}",
    public=True,
    root=True,
    status=202,
    per_minute=CALLS_PER_MINUTE,
    max_body_bytes=MAX_EVENT_BYTES,
    responses=AGAIN,
    openapi_extra=NOTICE,
)
async def take_resend_notice(tenant: str, headers: Headers, body: RawBody, context: Context) -> Response:
    """Take a notice of Resend that a mail came in. Its signature says who may, by any of the tenant's connections of type `resend`.

    The mail is fetched after that, and starts what its addresses start. Resend's other events are answered, and nothing is made of them.
    """
    try:
        if not is_tenant(tenant):
            raise Unverified(["this is no tenant's id"])
        async with context.transaction(tenant) as uow:
            connection = await usecases.admit_notice(headers, body, context.part(Envelope), uow)
    except Unverified as refusal:
        context.log.info("mail notice refused", tenant=tenant[:63], why=refusal.why)
        raise
    await count(tenant, context)
    said = resend.said_in(body)
    notice = resend.notice_of(said)
    if notice is None:
        ignored = NoticeReceiptView(accepted=0, duplicates=0, ids=[], log_ids=[], ignored=said["type"][:100])
        return Response(encode(ignored), 200, media_type="application/json")
    async with context.transaction(tenant) as uow:
        receipt = await usecases.tell(connection, notice, uow)
    context.part(MailWake).call()
    return Response(encode(schemas.receipt(receipt)), 202 if receipt.accepted else 200, media_type="application/json")


@door.post(
    "/inbound/mail/{tenant}",
    may=Permission.EVENTS_PUBLISH,
    root=True,
    status=202,
    max_body_bytes=MAX_BYTES,
    responses=AGAIN,
    openapi_extra=MAIL,
)
async def hand_mail_in(
    tenant: str,
    body: RawBody,
    context: Context,
    uow: Uow,
    to: Annotated[
        tuple[Annotated[str, Query(max_length=254)], ...],
        Several,
        Query(max_length=MAX_RECIPIENTS, description="Whom the server was told it is for; else whom its headers name."),
    ] = (),
) -> Response:
    """Take a whole mail from a mail server's pipe, with the key of somebody who may publish events. It is durable when this is answered."""
    if tenant != uow.tenant:
        raise MailNotFound(f"there is no tenant {tenant[:63]!r} for you; the address ends with the tenant of your key")
    try:
        mail = await asyncio.to_thread(parse, body)
    except MailRefused as refusal:
        raise UnreadableMail(refusal.message, code=f"mail_{refusal.code}") from refusal
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    receipt = await usecases.hand_in(mail, digest, to, REGISTRY, uow)
    return Response(encode(schemas.receipt(receipt)), 202 if receipt.accepted else 200, media_type="application/json")


@door.get("/inbound/mails", may=Permission.EVENTS_READ)
async def list_mails(
    page: Page, uow: Uow, status: Annotated[Literal["waiting", "taken", "failed"] | None, Query()] = None
) -> Listing[MailView]:
    """The mails that a provider told of, newest first, and how far each of them is."""
    rows = await store.listed(uow, status=status, after=page.after[0] if page.after else None, limit=page.limit + 1)
    return page.listing(rows, view=schemas.mail, key=lambda row: (row.id,))


@door.get("/inbound/mails/{mail_id}", may=Permission.EVENTS_READ)
async def get_mail(mail_id: UUID, uow: Uow) -> MailView:
    """One mail that a provider told of. What it says is in the log: GET /events/{id}, once it is `taken`."""
    return schemas.mail(await store.find(uow, mail_id))


@door.post("/inbound/mails/{mail_id}/retry", may=Permission.EVENTS_PUBLISH, status=202)
async def retry_mail(mail_id: UUID, uow: Uow) -> MailView:
    """Let a mail be fetched that was given up. It starts what its addresses start today."""
    return schemas.mail(await usecases.fetch_again(mail_id, uow))
