"""`http.request`: call a service over HTTP. Found by the entry point `http` of the group `weft.activities`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from weft_connectors.activity import Activity
from weft_connectors.connections import ConnectionReader
from weft_connectors.http.calling import HttpRequest


def activities(allow_private_addresses: bool | None = None, connections: ConnectionReader | None = None) -> Mapping[str, Activity]:
    """What this connector gives.

    allow_private_addresses: let requests reach private and loopback addresses; None: as WEFT_ALLOW_PRIVATE_ADDRESSES says, by default no.
    connections: gives a tenant's connection by name; None where there are none.
    """
    if allow_private_addresses is None:
        allow_private_addresses = os.environ.get("WEFT_ALLOW_PRIVATE_ADDRESSES", "").strip().lower() in ("1", "true", "yes", "on")
    return {"http.request": HttpRequest(allow_private=allow_private_addresses, connections=connections)}
