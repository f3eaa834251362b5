"""What a connector's actions stand on: the guarded client, a tenant's connections, and their `with` as its model reads it.

An action is a function of a call and the plug of its connector; `plugged` makes of several what an entry point gives.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import uuid4

from pydantic import ValidationError
from weft_language.actions import ACTIONS
from weft_language.model.part import RENDERED, Part

from weft_connectors.activity import Activity, ActivityCall, ActivityError
from weft_connectors.connections import ConnectionReader, OpenConnection
from weft_connectors.guarded import Answer, GuardedClient, GuardError, Outgoing
from weft_connectors.masking import masked

CODES: Final = {
    "bad_url": "bad_request",
    "bad_request": "bad_request",
    "ssrf_blocked": "blocked",
    "dns_failed": "unreachable",
    "connect_failed": "unreachable",
    "tls_failed": "unreachable",
    "timeout": "timeout",
    "response_too_large": "too_large",
    "redirect_limit": "bad_response",
    "bad_encoding": "bad_response",
}
"""The client's codes as the catalog of nodes names them for authors, the connector's name before them; the client's own is in the
error's `details.reason`."""
_Model = TypeVar("_Model", bound=Part)


class Plug:
    """What one connector's actions share in a process. Its client is opened by the first call and closed by `aclose`.

    allow_private: let private and loopback addresses be reached.  connections: gives a tenant's connection by name, at each call anew;
    None where this worker has none.
    """

    def __init__(
        self, *, allow_private: bool = False, connections: ConnectionReader | None = None, client: GuardedClient | None = None
    ) -> None:
        self.allow_private = allow_private
        self._connections = connections
        self._client = client

    @classmethod
    def of(cls, allow_private_addresses: bool | None, connections: ConnectionReader | None) -> Plug:
        """From the options of an entry point. allow_private_addresses: None: as WEFT_ALLOW_PRIVATE_ADDRESSES says, by default no."""
        if allow_private_addresses is None:
            allow_private_addresses = os.environ.get("WEFT_ALLOW_PRIVATE_ADDRESSES", "").strip().lower() in ("1", "true", "yes", "on")
        return cls(allow_private=allow_private_addresses, connections=connections)

    async def connection(self, call: ActivityCall, name: str) -> OpenConnection:
        """The connection of that name, of a type that the called action goes by.

        Raises: ActivityError `unknown_connection`, `connection_unusable`, `connection_unavailable`.
        """
        if self._connections is None:
            message = f"this worker has no connections, so none that is called {name!r}; let Weft's own worker call the service"
            raise ActivityError("unknown_connection", message, permanent=True)
        found = await self._connections(call.tenant, name)
        types = ACTIONS[call.name].connections
        if found.type not in types:
            message = f"the connection {found.name!r} is of type {found.type}, and {call.name} goes by one of type {' or '.join(types)}"
            raise ActivityError("connection_unusable", message, permanent=True)
        return found

    async def send(self, call: ActivityCall, request: Outgoing, connection: OpenConnection | None = None) -> Answer:
        """The answer, whatever its status, without the connection's secrets. Raises: ActivityError `<connector>_<one of CODES>`."""
        if self._client is None:
            self._client = GuardedClient(allow_private=self.allow_private)
        try:
            answer = await self._client.send(request)
        except GuardError as error:
            details = {**error.details, "reason": error.code}
            code = f"{connector_of(call)}_{CODES[error.code]}"
            raise ActivityError(code, error.message, permanent=error.permanent, details=details) from error
        return answer if connection is None else masked(answer, connection)

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


Run = Callable[[ActivityCall, Plug], Awaitable[Any]]
"""An action: its output, or an ActivityError."""


@dataclass(frozen=True, slots=True)
class Plugged:
    """An action with its plug, as a worker calls it."""

    run: Run
    plug: Plug

    async def __call__(self, call: ActivityCall) -> Any:
        """What the action gives. Raises: ActivityError."""
        return await self.run(call, self.plug)

    async def aclose(self) -> None:
        """Close what the connector's actions share; a later call opens it again."""
        await self.plug.aclose()


def plugged(plug: Plug, actions: Mapping[str, Run]) -> dict[str, Activity]:
    """What an entry point gives: each action by its type."""
    return {name: Plugged(run, plug) for name, run in actions.items()}


def given(call: ActivityCall, model: type[_Model]) -> _Model:
    """The rendered `with` of a call. Rendering may have put anything anywhere, so all of it is checked again.

    Raises: ActivityError `<connector>_bad_request` (permanent), details: `pointer`.
    """
    try:
        return model.model_validate(call.input, context=RENDERED)
    except ValidationError as error:
        # Of a union each branch says something; the first is as good as any. Values are not shown: they may be anything.
        first = error.errors(include_url=False, include_input=False)[0]
        raise refused(call, _path(call.input, first["loc"]), first["msg"]) from error


def _path(value: Any, location: tuple[int | str, ...]) -> str:
    """Where a validator stood, as a path below `with`: without the names of the branches that it tried."""
    path: list[str] = []
    for place, part in enumerate(location):
        if isinstance(value, Mapping) and isinstance(part, str) and (part in value or place == len(location) - 1):
            path.append(part)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            path.append(str(part))
            value = value[part]
    return "/".join(path)


def refused(call: ActivityCall, where: str, why: str) -> ActivityError:
    """The error of a call that cannot be made as it is written. where: a path below `with`."""
    pointer = f"/with/{where}" if where else "/with"
    message = f"{pointer[1:].replace('/', '.')}: {why}"
    return ActivityError(f"{connector_of(call)}_bad_request", message, permanent=True, details={"pointer": pointer})


def trial(name: str, input_: Mapping[str, Any]) -> ActivityCall:
    """A call that no execution makes: for trying a connection. name: of an action of the connector."""
    call_id = uuid4()
    return ActivityCall(name, input_, f"connection-test:{call_id}", "", call_id, "test", 1, 1)


def connector_of(call: ActivityCall) -> str:
    """The connector whose action is called: what its error codes begin with."""
    return call.name.partition(".")[0]
