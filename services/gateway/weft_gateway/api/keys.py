"""API keys."""

from __future__ import annotations

from uuid import UUID

from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Context, Door, Listing, Page, Reply, Uow

from weft_gateway import usecases
from weft_gateway.issuing import Issuer
from weft_gateway.schemas.keys import ApiKeyBody, ApiKeyView, NewApiKeyView, api_key
from weft_gateway.store import keys

door = Door("gateway")


@door.get("/api-keys", may=Permission.KEYS_MANAGE)
async def list_api_keys(page: Page, uow: Uow) -> Listing[ApiKeyView]:
    """The API keys of this tenant, newest first, without their secrets."""
    rows = await keys.list_api_keys(uow, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=lambda key: api_key(key, uow.now), key=lambda key: (key.created_at, key.id))


@door.post("/api-keys", may=Permission.KEYS_MANAGE, status=201)
async def make_api_key(body: ApiKeyBody, asker: Asker, uow: Uow, context: Context) -> Reply[NewApiKeyView]:
    """Make an API key. It is shown this once, and to who sends the same Idempotency-Key again."""
    made, tenant = await usecases.make_api_key(body.name, body.roles, body.expires_in_days, asker, uow, service=body.service)
    view = NewApiKeyView(**api_key(made, uow.now).model_dump(), key=context.part(Issuer).api_key(made, tenant))
    return Reply(view, headers={"Location": f"/api/v1/api-keys/{made.id}"}, secret=True)


@door.delete("/api-keys/{key_id}", may=Permission.KEYS_MANAGE, status=204)
async def revoke_api_key(key_id: UUID, asker: Asker, uow: Uow) -> None:
    """Revoke an API key: it is refused everywhere within seconds, and stays in the list."""
    await usecases.revoke_api_key(key_id, asker, uow)
