"""Trying a connection of type `http`: as a workflow would call by it."""

from __future__ import annotations

from typing import Any, Final

from weft_connectors.activity import ActivityCall
from weft_connectors.connections import OpenConnection
from weft_connectors.http.asking import read_call
from weft_connectors.plug import Plug, trial
from weft_connectors.trying import TIMEOUT_S, Tried

ANY_STATUS: Final = ["2xx", "3xx", "4xx", "5xx"]


async def try_http(connection: OpenConnection, plug: Plug) -> Tried:
    """What the service answers for `test_path`, or for the base address. Raises: ActivityError where it does not."""
    path = connection.settings.get("test_path")
    asked = {"url": path or "/", "timeout_s": TIMEOUT_S, "expect": ANY_STATUS, "response": "base64"}
    call: ActivityCall = trial("http.request", asked)
    answer = await plug.send(call, read_call(call, connection).request, connection)
    ok, detail = judged(answer.status, path=path)
    return Tried(ok, detail, answer.status, None if ok else "http_status")


def judged(status: int, *, path: Any) -> tuple[bool, str]:
    """Whether a status is a good one, and why. path: the `test_path` that was asked for; None for the base address alone."""
    if status in (401, 403, 407):
        return False, f"the service answered {status}: it does not take these credentials"
    if status < 400:
        return True, f"the service answered {status}"
    if path is None and status < 500:
        return True, f"the service answered {status} for the base address, so it is there; set `test_path` to try more"
    return False, f"the service answered {status}"
