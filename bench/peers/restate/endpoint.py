"""One process that the server calls: `python -m bench.peers.restate.endpoint flows`."""

from __future__ import annotations

import os
import sys

import restate
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP2Settings

from bench.peers.peer import port
from bench.peers.restate import services

BOUND = {"flows": (services.flows, services.rest), "steps": (services.steps,)}
CHOICE = "RESTATE_ENDPOINT"


def application() -> object:
    """What granian serves."""
    return restate.app(BOUND[os.environ[CHOICE]], "bidi")


def main() -> None:
    name = os.environ[CHOICE] = sys.argv[1]
    # HTTP/2, so that a flow is one stream both ways and not a request a step. The SDK's documentation serves with hypercorn;
    # granian takes two thirds of its CPU for the same work.
    Granian(
        f"{__spec__.name}:application", factory=True, address="127.0.0.1", port=port(name),
        interface=Interfaces.ASGINL, http=HTTPModes.http2,
        loop=Loops.uvloop, websockets=False, backpressure=4096, log_access=False,
        http2_settings=HTTP2Settings(max_concurrent_streams=1_000),
    ).serve()  # fmt: skip


if __name__ == "__main__":
    main()
