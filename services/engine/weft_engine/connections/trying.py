"""Trying a connection: as a workflow would use it, once, for whoever set it up."""

from __future__ import annotations

import time
from typing import Any, Final

from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.http.calling import HttpRequest
from weft_runtime.clock import new_id
from weft_runtime.sealing import Envelope, SealBroken

from weft_engine.connections import Connection
from weft_engine.connections.opening import opened
from weft_engine.connections.schemas import ConnectionTestView

TIMEOUT_S: Final = 10.0
ANY_STATUS: Final = ["2xx", "3xx", "4xx", "5xx"]


async def tried(connection: Connection, tenant: str, envelope: Envelope, allow_private: bool) -> ConnectionTestView:
    """Whether the connection's secrets open, and what the service says where there is one to ask."""
    try:
        open_ = opened(connection, tenant, envelope)
    except SealBroken as error:
        return ConnectionTestView(ok=False, detail=error.message, code=error.code)
    if connection.type != "http":
        return ConnectionTestView(ok=True, detail="its secrets are set and open; nothing is called by it")
    began = time.monotonic()
    try:
        status = await _status(open_, tenant, allow_private)
    except ActivityError as error:
        return ConnectionTestView(ok=False, duration_ms=_ms(began), detail=error.message, code=error.code)
    ok, detail = judged(status, path=connection.settings.get("test_path"))
    return ConnectionTestView(ok=ok, status=status, duration_ms=_ms(began), detail=detail, code=None if ok else "http_status")


def judged(status: int, *, path: Any) -> tuple[bool, str]:
    """Whether a status is a good one, and why. path: the `test_path` that was asked for; None for the base address alone."""
    if status in (401, 403, 407):
        return False, f"the service answered {status}: it does not take these credentials"
    if status < 400:
        return True, f"the service answered {status}"
    if path is None and status < 500:
        return True, f"the service answered {status} for the base address, so it is there; set `test_path` to try more"
    return False, f"the service answered {status}"


async def _status(connection: OpenConnection, tenant: str, allow_private: bool) -> int:
    async def given(tenant: str, name: str) -> OpenConnection:
        return connection

    asked = {
        "connection": connection.name,
        "url": connection.settings.get("test_path") or "/",
        "timeout_s": TIMEOUT_S,
        "expect": ANY_STATUS,
        "response": "base64",
    }
    request = HttpRequest(allow_private=allow_private, connections=given)
    call_id = new_id()
    try:
        answer = await request(ActivityCall("http.request", asked, f"connection-test:{call_id}", tenant, call_id, "test", 1, 1))
    finally:
        await request.aclose()
    return int(answer["status"])


def _ms(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
