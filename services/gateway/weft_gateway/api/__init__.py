"""The gateway's HTTP door."""

from weft_runtime.http import Door

from weft_gateway.api import described, directory, groups, keys, live, live_socket, oidc, signing_in

door = Door("gateway").include(
    signing_in.door, oidc.door, keys.door, directory.door, groups.door, described.door, live.door, live_socket.door
)

__all__ = ["door"]
