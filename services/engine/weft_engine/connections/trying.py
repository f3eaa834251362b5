"""Trying a connection: as a workflow would use it, once, for whoever set it up."""

from __future__ import annotations

import asyncio
import time

from weft_connectors.activity import ActivityError
from weft_connectors.plug import Plug
from weft_connectors.trying import TIMEOUT_S, try_of
from weft_runtime.sealing import Envelope, SealBroken

from weft_engine.connections import Connection
from weft_engine.connections.opening import opened
from weft_engine.connections.schemas import ConnectionTestView


async def tried(connection: Connection, tenant: str, envelope: Envelope, allow_private: bool) -> ConnectionTestView:
    """Whether the connection's secrets open, and what the service says where there is one to ask."""
    try:
        open_ = opened(connection, tenant, envelope)
    except SealBroken as error:
        return ConnectionTestView(ok=False, detail=error.message, code=error.code)
    try_it = try_of(connection.type)
    if try_it is None:
        return ConnectionTestView(ok=True, detail="its secrets are set and open; nothing is called by it")
    began, plug = time.monotonic(), Plug(allow_private=allow_private)
    try:
        async with asyncio.timeout(2 * TIMEOUT_S):  # each request of it has its own, which says more
            found = await try_it(open_, plug)
    except ActivityError as error:
        return ConnectionTestView(ok=False, duration_ms=_ms(began), detail=error.message, code=error.code)
    except TimeoutError:
        return ConnectionTestView(ok=False, duration_ms=_ms(began), detail=f"no answer within {2 * TIMEOUT_S:g} s", code="timeout")
    finally:
        await plug.aclose()
    return ConnectionTestView(ok=found.ok, status=found.status, duration_ms=_ms(began), detail=found.detail, code=found.code)


def _ms(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
