"""The address in each mail at which its reader wants no more of them. Nobody is signed in there."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import Response
from weft_runtime.errors import Invalid, Malformed, WeftError
from weft_runtime.http import Context, RawBody, strict_json

from weft_tasks.api.decisions import Asked, How, refused
from weft_tasks.api.routes import door
from weft_tasks.decision_links import page
from weft_tasks.notifications import unsubscribing
from weft_tasks.notifications.schemas import StopView
from weft_tasks.notifications.unsubscribing import Stops

ASKED_PER_MINUTE: Final = 300
MOST_BYTES: Final = 1000
_HTML: Final[dict[str, Any]] = {"text/html": {"schema": {"type": "string"}}}
_RULES: Final[dict[str, Any]] = {"public": True, "root": True, "per_minute": ASKED_PER_MINUTE}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {"set": {"enum": ["on", "off"]}}}}}
    }
}


@door.get("/unsubscribe/{token}", **_RULES, responses={200: {"model": StopView, "content": _HTML}})
async def show_stop(token: str, how: How, context: Context) -> Response:
    """Show whether its reader gets mails: a page with a button for a browser, JSON for anybody else. Nothing changes by it."""
    return await _answer(token, None, how, context)


@door.post("/unsubscribe/{token}", **_RULES, responses={200: {"model": StopView, "content": _HTML}}, openapi_extra=_BODY)
async def stop(token: str, how: How, body: RawBody, context: Context) -> Response:
    """Send no more mails, or with `set=on` again. What mail programs send of themselves (RFC 8058) stops them, too."""
    return await _answer(token, body, how, context)


async def _answer(token: str, body: bytes | None, how: Asked, context: Context) -> Response:
    try:
        found = Stops(context.settings.secrets).read(token)
        async with context.transaction(found.tenant) as uow:
            if body is not None:
                await unsubscribing.turn(found, uow, on=_turned_on(body))
            on = await unsubscribing.is_on(found, uow)
    except WeftError as refusal:
        return refused(refusal, how, "This link does not work")
    headers = dict(page.HEADERS)
    if not how.html:
        return Response(strict_json.encode(StopView(channel=found.channel, on=on)), headers=headers, media_type="application/json")
    return Response(page.page_of(*unsubscribing.page(found, on=on)), headers=headers, media_type="text/html")


def _turned_on(body: bytes) -> bool:
    """What was sent. Raises: Malformed, Invalid."""
    try:
        sent = dict(parse_qsl(body[: MOST_BYTES + 1].decode("ascii"), max_num_fields=10))
    except ValueError:
        raise Malformed("the form is not readable; send it as the page does") from None
    if sent.get("set", "off") not in ("on", "off") or len(body) > MOST_BYTES:
        raise Invalid("`set` is `on` or `off`; send the form as the page does")
    return sent.get("set") == "on"
