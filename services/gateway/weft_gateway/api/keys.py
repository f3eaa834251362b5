"""API keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Header
from starlette.responses import Response, StreamingResponse
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Context, Door, Listing, Page, Uow
from weft_runtime.http.strict_json import encode

from weft_gateway import usecases
from weft_gateway.issuing import Issuer
from weft_gateway.schemas import ApiKeyBody, ApiKeyView, NewApiKeyView, api_key
from weft_gateway.store import keys

door = Door("gateway")


@door.get("/api-keys", may=Permission.KEYS_MANAGE)
async def list_api_keys(page: Page, uow: Uow) -> Listing[ApiKeyView]:
    """The API keys of this tenant, newest first, without their secrets."""
    rows = await keys.list_api_keys(uow, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=lambda key: api_key(key, uow.now), key=lambda key: (key.created_at, key.id))


@door.post("/api-keys", may=Permission.KEYS_MANAGE, status=201, responses={201: {"model": NewApiKeyView}})
async def make_api_key(
    body: ApiKeyBody,
    asker: Asker,
    uow: Uow,
    context: Context,
    idempotency_key: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Make an API key. It is shown this once; a repeat with the same Idempotency-Key is answered 409 instead."""
    made, tenant = await usecases.make_api_key(body.name, body.roles, body.expires_in_days, idempotency_key, asker, uow)
    view = NewApiKeyView(**api_key(made, uow.now).model_dump(), key=context.part(Issuer).api_key(made, tenant))
    headers = {"Location": f"/api/v1/api-keys/{made.id}"}

    async def once() -> AsyncIterator[bytes]:
        yield encode(view)

    # A stream is not kept for Idempotency-Key, so the secret is written down nowhere.
    return StreamingResponse(once(), 201, headers=headers, media_type="application/json")


@door.delete("/api-keys/{key_id}", may=Permission.KEYS_MANAGE, status=204)
async def revoke_api_key(key_id: UUID, asker: Asker, uow: Uow) -> None:
    """Revoke an API key: it is refused everywhere within seconds, and stays in the list."""
    await usecases.revoke_api_key(key_id, asker, uow)
