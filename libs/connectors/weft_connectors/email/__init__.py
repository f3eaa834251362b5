"""`email.send`, by Resend or a mail server. Found by the entry point `email` of the group `weft.activities`."""

from __future__ import annotations

from collections.abc import Mapping

from weft_connectors.activity import Activity
from weft_connectors.connections import ConnectionReader
from weft_connectors.email.sending import send
from weft_connectors.plug import Plug, plugged


def activities(allow_private_addresses: bool | None = None, connections: ConnectionReader | None = None) -> Mapping[str, Activity]:
    """What this connector gives.

    allow_private_addresses: let private and loopback addresses be reached; None: as WEFT_ALLOW_PRIVATE_ADDRESSES says, by default no.
    connections: gives a tenant's connection by name; None where there are none.
    """
    return plugged(Plug.of(allow_private_addresses, connections), {"email.send": send})
