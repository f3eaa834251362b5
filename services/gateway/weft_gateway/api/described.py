"""The description of the whole API: every service's own, merged."""

from __future__ import annotations

from typing import Any

from weft_runtime.http import Context, Door

from weft_gateway.describing import Descriptions

door = Door("gateway")


@door.get("/openapi.json", public=True, per_minute=120)
async def get_openapi(context: Context) -> dict[str, Any]:
    """The OpenAPI 3.1 document of every service. One that does not answer is left out and named in `x-missing`."""
    return await context.part(Descriptions).whole()
