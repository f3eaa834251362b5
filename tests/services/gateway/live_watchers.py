"""Pages that watch the live feed by a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol
from weft_runtime.testing import RunningService
from weft_runtime.testing.polling import WITHIN_S


def bearing(gateway: RunningService, bearer: str) -> httpx2.AsyncClient:
    client = gateway.anonymous()
    client.headers["Authorization"] = f"Bearer {bearer}"
    return client


async def ticket(gateway: RunningService, bearer: str, *topics: str) -> str:
    answer = await bearing(gateway, bearer).post("/api/v1/live/tickets", json={"topics": list(topics)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ticket"])


class Watcher:
    """A page that watches."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def heard(self) -> dict[str, Any]:
        """The next message, but for heartbeats."""
        async with asyncio.timeout(WITHIN_S):
            while (said := json.loads(await self.socket.recv()))["event"] == "heartbeat":
                pass
        return dict(said)

    async def ends(self) -> tuple[int | None, list[dict[str, Any]]]:
        """The close code, and what was said until then."""
        said = []
        try:
            while True:
                said.append(await self.heard())
        except ConnectionClosed:
            return self.socket.close_code, said

    async def says(self, message: Any) -> None:
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))


@asynccontextmanager
async def opened(address: str, ticket: str, query: str = "", **options: Any) -> AsyncIterator[Watcher]:
    url = address.replace("http:", "ws:") + "/api/v1/live" + (f"?{query}" if query else "")
    protocols = [Subprotocol("weft.live.v1"), Subprotocol(f"weft.ticket.{ticket}")]
    async with connect(url, subprotocols=protocols, proxy=None, open_timeout=WITHIN_S, **options) as socket:
        assert socket.subprotocol == "weft.live.v1"
        watcher = Watcher(socket)
        assert (await watcher.heard())["event"] == "ready"
        yield watcher


async def refused(address: str, query: str = "", protocols: list[str] | None = None, **headers: str) -> tuple[int, str]:
    """Status and code by which a handshake is refused."""
    url = f"{address.replace('http:', 'ws:')}/api/v1/live{query}"
    offered = [Subprotocol(one) for one in protocols or ()] or None
    with pytest.raises(InvalidStatus) as error:
        async with connect(url, subprotocols=offered, additional_headers=headers, proxy=None, open_timeout=WITHIN_S):
            pass
    answer = error.value.response
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, json.loads(answer.body or b"{}")["code"]
