"""The gateway's HTTP door."""

from weft_runtime.http import Door

from weft_gateway.api import described, directory, keys, live, signing_in

door = Door("gateway").include(signing_in.door, keys.door, directory.door, described.door, live.door)

__all__ = ["door"]
