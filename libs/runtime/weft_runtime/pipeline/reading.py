"""From frames to pieces of work: what can be read is a word with its tenant, what cannot is a problem with a code. Nothing is refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from weft_contracts import catalog, routing
from weft_contracts.envelope import Item
from weft_contracts.frames import SINGLE, FrameError, decode_frame, encode_frame

from weft_runtime.bus.ports import Delivery
from weft_runtime.pipeline.handlers import Handlers, Heard, RawEvent
from weft_runtime.pipeline.verdicts import clean

TENANT = re.compile(r"[a-z0-9](-?[a-z0-9])*")
MAX_TENANT = 63
UNREADABLE = "weft/unreadable"
"""The source under which a frame that cannot be read is remembered in the inbox."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message was taken from."""

    queue: str
    exchange: str = ""
    routing_key: str = ""
    content_type: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Piece:
    """One thing to handle. what: a word, a raw event, or None where `problem` says why it cannot be read.

    key: source and id, by which the inbox knows it; None for raw events, which their room tells apart.
    repeatable: the inbox need not know it unless it fails.
    """

    origin: Origin
    what: Heard[Any] | RawEvent | None
    item: Item | None = None
    body: bytes = b""
    problem: tuple[str, str] | None = None
    key: tuple[str, str] | None = None
    repeatable: bool = False

    @property
    def tenant(self) -> str:
        """Whom it belongs to, "" where that is not known."""
        tenant = self._keyed_tenant() if self.item is None else self.item.tenantid
        return tenant if tenant and _is_tenant(tenant) else ""

    def _keyed_tenant(self) -> str | None:
        """The tenant in the routing key `<tenant>.<type>` of a plain event.

        Not of one that speaks of a tenant itself, in a way that could not be read: it may be another's.
        """
        speaks = b"tenantid" in self.body or any(str(name).lower().endswith("tenantid") for name in self.origin.headers)
        if self.origin.exchange != routing.DOMAIN or speaks:
            return None
        return self.origin.routing_key.partition(".")[0]

    def stored(self) -> tuple[str, bytes]:
        """Content type and bytes to keep it by."""
        if self.item is not None:
            return SINGLE, encode_frame([self.item])[1:-1]
        return self.origin.content_type, self.body


def read(handlers: Handlers, origin: Origin, body: bytes) -> list[Piece]:
    """The pieces of one frame, in order."""
    if origin.exchange == routing.DOMAIN:
        raw = RawEvent(origin.content_type, origin.headers, body, origin.routing_key)
        if handlers.raw is None:
            return [Piece(origin, None, body=body, problem=("no_handler", f"{handlers.room} hears no domain events"))]
        return [Piece(origin, raw, body=body)]
    try:
        items = decode_frame(body)
    except FrameError as error:
        key = (UNREADABLE, hashlib.sha256(origin.queue.encode() + b"\x00" + body).hexdigest())
        return [Piece(origin, None, body=body, problem=(error.code, clean(str(error))), key=key)]
    return list(_words(handlers, origin, items))


def _words(handlers: Handlers, origin: Origin, items: list[Item]) -> Iterator[Piece]:
    for item in items:
        key = (clean(item.source), clean(item.id))
        problem = _flaw(item)
        what: Heard[Any] | None = None
        if problem is None:
            try:
                word = catalog.read(item)
            except (catalog.UnknownWord, catalog.BadWord) as error:
                problem = (error.code, clean(str(error)))
            else:
                if handlers.hears(type(word)):
                    what = Heard(word, item.tenantid or "", item)
                else:
                    problem = ("no_handler", f"{handlers.room} has no handler for {item.type}")
        yield Piece(origin, what, item, problem=problem, key=key, repeatable=what is not None and type(what.message) in handlers.repeatable)


def _flaw(item: Item) -> tuple[str, str] | None:
    for name, text in (("id", item.id), ("source", item.source), ("type", item.type), ("subject", item.subject or "")):
        if "\x00" in text:
            return "nul_character", f"{name} holds a NUL character"
        if len(text) > MAX_TEXT:
            return "too_long", f"{name} has {len(text)} characters; at most {MAX_TEXT} are allowed"
    if not item.tenantid:
        return "no_tenant", f"{clean(item.type)} {clean(item.id)} names no tenant; set tenantid"
    if not _is_tenant(item.tenantid):
        return "bad_tenant", f"tenantid is no tenant id: {clean(item.tenantid)[:80]!r}"
    return None


MAX_TEXT = 1024


def _is_tenant(text: str) -> bool:
    return len(text) <= MAX_TENANT and _looks_like_tenant(text)


@lru_cache(maxsize=4096)
def _looks_like_tenant(text: str) -> bool:
    return TENANT.fullmatch(text) is not None


def origin_of(queue: str, delivery: Delivery) -> Origin:
    """Where a delivery came from."""
    return Origin(queue, delivery.exchange, delivery.routing_key, delivery.content_type or "", delivery.headers)


def verdict_of(delivery: Delivery) -> tuple[str, str] | None:
    """(code, reason) that a reader without a database wrote on what it set aside itself; None where the broker buried it."""
    code = delivery.headers.get("x-weft-code")
    return None if not isinstance(code, str) else (clean(code), clean(str(delivery.headers.get("x-weft-reason", code))))


def dead_origin(delivery: Delivery) -> tuple[Origin, str]:
    """Where a dead letter was before, and why it was buried: `rejected`, `delivery_limit`, `expired`, `maxlen`."""
    headers = delivery.headers
    deaths = headers.get("x-death")
    first = deaths[-1] if isinstance(deaths, list) and deaths and isinstance(deaths[-1], dict) else {}
    keys = first.get("routing-keys")
    return (
        Origin(
            queue=str(headers.get("x-first-death-queue", delivery.routing_key)),
            exchange=str(headers.get("x-first-death-exchange", "")),
            routing_key=str(keys[0]) if isinstance(keys, list) and keys else delivery.routing_key,
            content_type=delivery.content_type or "",
            headers={name: value for name, value in headers.items() if not name.startswith("x-")},
        ),
        str(headers.get("x-first-death-reason", "dead")),
    )
