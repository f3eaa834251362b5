"""The live feed as a WebSocket: the same items, topics and rights as by Server-Sent Events, and topics may change while it is open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket
from weft_runtime.auth import Caller, Permission
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Malformed, Unauthenticated, WeftError
from weft_runtime.http import Asker, Context, Door, Reply, Uow
from weft_runtime.http.strict_json import decode, encode

from weft_gateway.api.live import Token
from weft_gateway.feed import Topics, read_topics, topics
from weft_gateway.feeding import Connection, Hub, Told
from weft_gateway.schemas.signing_in import TicketBody, TicketView
from weft_gateway.store.feed import Kept
from weft_gateway.tickets import LASTS, Held, Tickets
from weft_gateway.watching import END, data_of, id_of, place_of, told

door = Door("gateway")

PROTOCOL: Final = "weft.live.v1"
"""What the messages are; a client that offers it is answered with it."""
TICKET_PROTOCOL: Final = "weft.ticket."
"""Beginning of a protocol that a client offers and that is its ticket: the one header a browser lets a page choose."""
HANDSHAKES_PER_MINUTE: Final = 600
MESSAGE_MAX_BYTES: Final = 8192
MESSAGES_PER_MINUTE: Final = 60
SEND_TIMEOUT_S: Final = 30.0
"""How long a client may take nothing of what it is sent."""
CLOSES: Final[Mapping[str, int]] = {"too_slow": 1013, "topic_refused": 4403}
"""Close codes by why a stream ends; any other is that of its token. Source: RFC 6455, section 7.4.2: from 4000 on they are ours."""
TOKEN_OVER: Final = 4401
UNREADABLE, TOO_BIG, TOO_MUCH, GOING_AWAY = 1007, 1009, 1008, 1001


class _Closed(Exception):
    """A client said something for which its connection is closed. Its arguments: close code and reason."""


@door.post("/live/tickets", may=Permission.LIVE_READ, status=201)
async def make_live_ticket(token: Token, asker: Asker, uow: Uow, context: Context, body: TicketBody | None = None) -> Reply[TicketView]:
    """A ticket for `WS /live`, good once and for a minute, for whoever asks and what they may watch now.

    Open `wss://…/api/v1/live` with the subprotocols `weft.live.v1` and `weft.ticket.<ticket>`, or with `?ticket=`. The connection ends when
    the token does that the ticket was had by, and when a right is taken; `?last_event_id=` goes on where another one ended.
    """
    wanted = topics(body.topics if body is not None else (), asker)
    ticket, until = await context.part(Tickets).give(token, asker, wanted.names, uow)
    return Reply(TicketView(ticket=ticket, expires_in=LASTS.seconds, expires_at=until), secret=True)


async def by_ticket(socket: WebSocket, context: ServiceContext) -> Caller:
    """Who opens it, by the ticket they bring. Raises: Unauthenticated."""
    offered = [one for one in _offered(socket) if one.startswith(TICKET_PROTOCOL)]
    given = [*(one.removeprefix(TICKET_PROTOCOL) for one in offered), *socket.query_params.getlist("ticket")]
    if len(given) != 1:
        raise Unauthenticated(f"bring one ticket, as the subprotocol {TICKET_PROTOCOL}<ticket>; get it by POST /api/v1/live/tickets")
    socket.state.held = held = await context.part(Tickets).take(given[0])
    return held.caller


@door.socket("/live", may=Permission.LIVE_READ, admit=by_ticket, per_minute=HANDSHAKES_PER_MINUTE)
async def live_socket(socket: WebSocket, caller: Caller, context: ServiceContext) -> None:
    """What happens, as it happens, of the topics of the ticket, or of those in `?topics=`, of which a client may change its mind.

    Raises, before it is open: UnknownTopic, TopicRefused, TooManyConnections.
    """
    held: Held = socket.state.held
    several = ",".join(socket.query_params.getlist("topics")).split(",")
    asked = [name for name in (*several, *socket.query_params.getlist("topic")) if name]
    place = place_of(socket.query_params.get("last_event_id") or socket.headers.get("last-event-id"))
    hub = context.part(Hub)
    connection = await hub.connect(caller, topics(asked or held.topics, caller))
    try:
        await socket.accept(PROTOCOL if PROTOCOL in _offered(socket) else None)
        await _say(socket, _now_watching("ready", connection.topics))
        await _talk(socket, hub, connection, told(context, connection, place, held.token))
    except asyncio.CancelledError:
        await _close(socket, GOING_AWAY, "the server stops; connect again")
        raise
    finally:
        hub.disconnect(connection)


async def _talk(socket: WebSocket, hub: Hub, connection: Connection, stream: AsyncIterator[Kept | Told]) -> None:
    """Tell and hear until either is over."""
    telling = asyncio.create_task(_tell(socket, stream))
    hearing = asyncio.create_task(_hear(socket, hub, connection))
    try:
        await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        telling.cancel()
        hearing.cancel()
        ends = await asyncio.gather(telling, hearing, return_exceptions=True)
    for end in ends:
        if isinstance(end, _Closed):
            await _close(socket, *end.args)
            return
    # A client that takes nothing is given up: it could not be told that either.
    if failed := next((end for end in ends if isinstance(end, Exception) and not isinstance(end, TimeoutError)), None):
        raise failed


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close it, whether or not the client takes part in that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await socket.close(code, reason)


async def _tell(socket: WebSocket, stream: AsyncIterator[Kept | Told]) -> None:
    async for one in stream:
        await _say(socket, one)
        if isinstance(one, Told) and one.event == END:
            raise _Closed(CLOSES.get(one.data["code"], TOKEN_OVER), one.data["code"])


async def _say(socket: WebSocket, one: Kept | Told) -> None:
    said: dict[str, Any] = {"event": one.event, "data": one.data} if isinstance(one, Told) else {
        "event": one.item.kind, "id": id_of(one), "data": data_of(one)
    }  # fmt: skip
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await socket.send_text(encode(said).decode())


async def _hear(socket: WebSocket, hub: Hub, connection: Connection) -> None:
    """Hear `{"subscribe": [topics]}` and `{"unsubscribe": [topics]}` until the client leaves; what is wrong with one is said."""
    heard, window = 0, time.monotonic()
    while (message := await socket.receive())["type"] == "websocket.receive":
        if time.monotonic() - window > 60:
            heard, window = 0, time.monotonic()
        heard += 1
        if heard > MESSAGES_PER_MINUTE:
            raise _Closed(TOO_MUCH, f"more than {MESSAGES_PER_MINUTE} messages in a minute")
        try:
            hub.watch(connection, _changed(connection, _read(message)))
        except WeftError as refusal:
            connection.put(Told("error", {"code": refusal.code, "detail": refusal.message}))
        else:
            connection.put(_now_watching("topics", connection.topics))


def _read(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message of a client. Raises: Malformed; _Closed for what no client of this feed sends."""
    text = message.get("text")
    raw = (text.encode("utf-8", "surrogatepass") if text is not None else message.get("bytes")) or b""
    if len(raw) > MESSAGE_MAX_BYTES:
        raise _Closed(TOO_BIG, f"a message has at most {MESSAGE_MAX_BYTES} bytes")
    try:
        said = decode(raw)
    except Malformed:
        raise _Closed(UNREADABLE, "messages are JSON") from None
    if not isinstance(said, dict):
        raise Malformed('say {"subscribe": ["tasks"]} or {"unsubscribe": ["tasks"]}')
    return said


def _changed(connection: Connection, said: Mapping[str, Any]) -> Topics:
    """The topics after a message. Raises: Malformed, UnknownTopic, TopicRefused."""
    match dict(said):
        case {"subscribe": [str(), *_] as names, **rest} if not rest and all(isinstance(name, str) for name in names):
            return connection.topics.plus(topics(names, connection.caller))
        case {"unsubscribe": [str(), *_] as names, **rest} if not rest and all(isinstance(name, str) for name in names):
            return connection.topics.minus(read_topics(names))
    raise Malformed('say {"subscribe": ["tasks"]} or {"unsubscribe": ["tasks"]}, with at least one topic')


def _now_watching(event: str, watched: Topics) -> Told:
    return Told(event, {"topics": watched.names})


def _offered(socket: WebSocket) -> list[str]:
    """The protocols that a client offers. The server gives them unsplit. Source: RFC 6455, section 11.3.4."""
    return [one.strip() for header in socket.headers.getlist("sec-websocket-protocol") for one in header.split(",")]
