"""Asks the process of flows, as a web application would be asked."""

from __future__ import annotations

import uvloop

from bench.peers.driving import drive
from bench.peers.frontdoor import Caller
from bench.peers.peer import port


async def main() -> None:
    caller = await Caller.connect(port("flows"))
    await drive(caller.execute)


if __name__ == "__main__":
    uvloop.run(main())
