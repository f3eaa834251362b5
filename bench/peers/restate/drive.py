"""Calls the server's ingress over HTTP and waits for the answer, which is how a caller hears of the end."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import aiohttp
import uvloop

from bench.peers.driving import drive
from bench.peers.peer import port

ADMIN_S = 60.0


class Refused(Exception):
    """The server answered something else than the result."""


class Ingress:
    """The server's door."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port('ingress')}"
        self._names = count()

    async def execute(self, workload: str) -> None:
        """One execution to its end. Raises: Refused."""
        workflow = workload.removesuffix("_single")
        if workflow != "signal":
            await self._call(f"Flows/{workflow}", 42)
            return
        # One request starts it and waits; the other is the signal, which the server keeps should it come first.
        key = f"rest-{next(self._names)}"
        ended = asyncio.create_task(self._call(f"Rest/{key}/run", 42))
        await asyncio.sleep(0)
        await self._call(f"Rest/{key}/go", {"yes": True})
        await ended

    async def register(self) -> None:
        """Tell the server where flows and steps are. Raises: Refused, TimeoutError."""
        url = f"http://127.0.0.1:{port('admin')}/deployments"
        async with asyncio.timeout(ADMIN_S):
            for name in ("flows", "steps"):
                while True:
                    try:
                        async with self._session.post(url, json={"uri": f"http://127.0.0.1:{port(name)}", "force": True}) as answer:
                            if answer.status < 300:
                                break
                            said = await answer.text()
                            if answer.status < 500:
                                raise Refused(said)
                    except aiohttp.ClientConnectionError:
                        pass  # the admin door opens a moment after the ingress
                    await asyncio.sleep(0.2)

    async def _call(self, path: str, body: Any) -> None:
        async with self._session.post(f"{self._url}/{path}", json=body) as answer:
            if answer.status >= 300:
                raise Refused(f"{path}: {answer.status} {await answer.text()}")
            await answer.read()


async def main() -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=60)) as session:
        ingress = Ingress(session)
        await ingress.register()
        await drive(ingress.execute)


if __name__ == "__main__":
    uvloop.run(main())
