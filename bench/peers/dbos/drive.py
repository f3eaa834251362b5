"""Asks the process of flows, as a web application would be asked."""

from __future__ import annotations

import uvloop

from bench.peers.frontdoor import drive_through
from bench.peers.peer import port

if __name__ == "__main__":
    uvloop.run(drive_through(port("flows")))
