"""Webhooks over HTTP: calls of those who are no users of ours. Who may call says the signature, verified before anything is read."""

from __future__ import annotations

from typing import Annotated, Any, Final, cast

from fastapi import Depends, Request
from starlette.responses import Response
from weft_runtime.context import ServiceContext
from weft_runtime.http import Context, Door, RawBody
from weft_runtime.http.call import call_of
from weft_runtime.http.door import ANY_METHOD
from weft_runtime.http.rate import Quota
from weft_runtime.http.strict_json import encode
from weft_runtime.sealing import Envelope

from weft_events import hooks, schemas, usecases
from weft_events.domain import MAX_EVENT_BYTES
from weft_events.errors import HookNotFound, TooManyCalls, Unverified
from weft_events.hooks import Call
from weft_events.reading import is_tenant
from weft_events.registry import REGISTRY
from weft_events.settings import Settings

door = Door("events")

CALLS_PER_MINUTE: Final = 6000
"""Of one address, whether they are verified or not. Large senders come from few addresses."""
RECEIPT: Final[dict[str, Any]] = {"$ref": "#/components/schemas/ReceiptView"}
CHALLENGE: Final[dict[str, Any]] = {"type": "object", "required": ["challenge"], "properties": {"challenge": {"type": "string"}}}
ADDRESS: Final = "/hooks/{tenant}/{path:path}"
RULES: Final[dict[str, Any]] = {
    "public": True,
    "root": True,
    "status": 202,
    "per_minute": CALLS_PER_MINUTE,
    "max_body_bytes": MAX_EVENT_BYTES,
    "responses": {
        200: {
            "description": "It was taken before, and changed nothing; or Slack's challenge.",
            "content": {"application/json": {"schema": {"anyOf": [RECEIPT, CHALLENGE]}}},
        },
        202: {"description": "It is durable.", "content": {"application/json": {"schema": RECEIPT}}},
    },
}
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "description": "Signed as the trigger says.",
        "content": {
            "application/json": {"schema": {}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "text/*": {"schema": {"type": "string"}},
        },
    }
}


def headers_of(request: Request) -> dict[str, list[str]]:
    """Every value of each header, by its name in lower case."""
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    return headers


async def _call(request: Request, tenant: str, path: str, body: RawBody) -> Call:
    # A HEAD asks what a GET would answer, and starts nothing: it is a method of its own here.
    method = "HEAD" if call_of(request).head else request.method
    return Call(tenant, path, method, request.url.query, headers_of(request), body)


Called = Annotated[Call, Depends(_call)]


async def call_hook(call: Called, context: Context) -> Response:
    """Call a webhook: a trigger of an active workflow with this path. Its signature says who may; a method it does not name is refused."""
    if not is_tenant(call.tenant):
        raise HookNotFound
    try:
        async with context.transaction(call.tenant) as uow:
            admitted = await usecases.admit(call, REGISTRY, context.part(Envelope), uow)
    except Unverified as refusal:
        context.log.info("webhook refused", tenant=call.tenant, path=call.path, why=refusal.why)
        raise
    await count(call.tenant, context)
    payload, request = await usecases.read(admitted)
    challenge = hooks.challenge_of(admitted, payload)
    if challenge is not None:
        return Response(encode({"challenge": challenge}), media_type="application/json")
    async with context.transaction(call.tenant) as uow:
        receipt = await usecases.take(admitted, payload, request, REGISTRY, uow)
    return Response(encode(schemas.receipt(receipt)), 202 if receipt.accepted else 200, media_type="application/json")


for method in ANY_METHOD:
    # One by one, since each is an operation of its own for whoever reads the description, and a GET has no body.
    door.route((method,), ADDRESS, **RULES, operation_id=f"call_hook_{method.lower()}", openapi_extra={} if method == "GET" else BODY)(
        call_hook
    )


async def count(tenant: str, context: ServiceContext) -> None:
    """Count a call of the tenant's: one that was verified, since others are nobody's. Raises: TooManyCalls."""
    usual = cast(Settings, context.settings).hook_requests_per_hour
    quota = Quota("hook", context.settings.requests_per_hour_by_tenant.get(tenant, {}).get("hook", usual))
    standing = await context.limiter.count((tenant,), quota)
    if not standing.allowed:
        raise TooManyCalls(quota.requests, standing.reset_s, standing.headers())
