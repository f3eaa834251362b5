"""Opening a connection for one call: read as it is now, its secrets in memory only."""

from __future__ import annotations

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable
from weft_runtime.sealing import Envelope, SealBroken

from weft_engine.connections import Connection
from weft_engine.store import connections as store


def opened(connection: Connection, tenant: str, envelope: Envelope) -> OpenConnection:
    """The connection with its secrets. Raises: SealBroken."""
    place = {"tenant": tenant, "connection": str(connection.id)}
    secrets = {name: envelope.open(secret.sealed, **place, field=name) for name, secret in connection.secrets.items()}
    return OpenConnection(connection.name, connection.type, connection.settings, secrets)


class Opening:
    """Gives activities a tenant's connections by name: a `ConnectionReader`. It reads as the role that sees one tenant only."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._envelope = Envelope(*context.settings.secrets)

    async def __call__(self, tenant: str, name: str) -> OpenConnection:
        """The connection as it is at this moment. Raises: ActivityError."""
        try:
            async with self._context.transaction(tenant) as uow:
                found = await store.named(uow, name)
        except Unavailable as error:
            message = f"the connection {name!r} could not be read: {error.message}"
            raise ActivityError("connection_unavailable", message) from error
        if found is None:
            message = f"there is no connection {name!r} in this tenant; make it with POST /api/v1/connections, then retry"
            raise ActivityError("unknown_connection", message, permanent=True, details={"connection": name})
        try:
            return opened(found, tenant, self._envelope)
        except SealBroken as error:
            # Whoever runs the installation may start it with the right key again: a later attempt may do.
            raise ActivityError("connection_unusable", error.message, details={"connection": name, "reason": error.code}) from error
