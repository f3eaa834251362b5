"""A call of a webhook: for which triggers it is, who signed it, what it says, and what it is in the log. Pure; time and ids are arguments.

Triggers of one path that are signed in the same way, by the same connection, have an entrance together. A call that comes in by an entrance
is an event of its own there, so that whoever may come in by one takes no other's deliveries from it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import msgspec
from weft_contracts.cloudevents import CloudEvent
from weft_language.compilation import Hook
from weft_runtime.errors import Malformed
from weft_runtime.http import strict_json

from weft_events import verifying
from weft_events.domain import CALLED, HOOKS, MAX_EVENT_BYTES, Candidate, Considered, Received, consider_alone
from weft_events.errors import EventTooLarge, HookNotFound, MethodNotAllowed, UnsupportedBody, Unverified
from weft_events.verifying import Headers, NotSigned, Proof

MAX_FIELDS: Final = 1000
"""Fields of a form or a query."""
MAX_HEADERS: Final = 50
MAX_HEADER: Final = 1024
MAX_ALL_HEADERS: Final = 8 * 1024
"""Headers that expressions can read: so many, so many characters of each, and of all together."""

_SECRET: Final = re.compile(r"authorization|cookie|signature|hmac|token|secret|password|api-?key", re.IGNORECASE)
"""In the name of a header that says who calls."""
_CHARSET: Final = re.compile(r'charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Key = tuple[str, str | None]
"""An entrance: signature and connection."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a webhook. path: behind `/hooks/<tenant>/`.  query: as it came.  body: its bytes as they came."""

    tenant: str
    path: str
    method: str
    query: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a connection holds, opened. known: each verifies.  header: where `hmac-sha256` is looked for."""

    known: tuple[str, ...] = ()
    header: str = verifying.USUAL_HEADER


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that was let in. found: every trigger of its path.  proofs: by entrance, those by which it came in."""

    call: Call
    found: tuple[Candidate, ...]
    proofs: Mapping[Key, Proof]
    secrets: Mapping[str, Secrets]


def by_path(candidates: Iterable[Candidate]) -> dict[str, tuple[Candidate, ...]]:
    """The triggers that are webhooks, in the order they are to be considered."""
    found: dict[str, list[Candidate]] = {}
    for one in sorted(candidates, key=lambda one: (one.trigger.priority, one.workflow, one.place)):
        if one.trigger.hook is not None:
            found.setdefault(one.trigger.hook.path, []).append(one)
    return {path: tuple(several) for path, several in found.items()}


def asked(call: Call, found: Sequence[Candidate]) -> dict[Key, Hook]:
    """The entrances that a call may come in by. found: the triggers of its path.  Raises: HookNotFound, MethodNotAllowed."""
    there = [hook for one in found if one.trigger.enabled and (hook := one.trigger.hook) is not None]
    if not there:
        raise HookNotFound
    entrances = {_key(hook): hook for hook in there if call.method in hook.methods}
    if not entrances:
        raise MethodNotAllowed(sorted({method for hook in there for method in hook.methods}))
    return entrances


def let_in(
    call: Call, found: Sequence[Candidate], entrances: Mapping[Key, Hook], secrets: Mapping[str, Secrets], now: datetime
) -> Admitted:
    """A call by every entrance at which it is signed as it should be. secrets: by connection, those there are.  Raises: Unverified."""
    proofs: dict[Key, Proof] = {}
    why: list[str] = []
    for key, hook in entrances.items():
        held = Secrets() if key[1] is None else secrets.get(key[1])
        if held is None:
            why.append(f"there is no connection {key[1]!r} of type webhook")
            continue
        try:
            proofs[key] = verifying.verify(hook.signature, held.known, held.header, call.headers, call.body, now)
        except NotSigned as fault:
            why.append(f"{hook.signature} by connection {key[1]!r}: {fault}")
    if not proofs:
        raise Unverified(why)
    return Admitted(call, tuple(found), proofs, secrets)


def payload_of(call: Call) -> Any:
    """What the body says: JSON its value, a form an object of texts (lists of them for a field given twice), text itself, nothing null.

    Raises: Malformed, UnsupportedBody, EventTooLarge.
    """
    if not call.body:
        return None
    packed = ", ".join(call.headers.get("content-encoding", ()))
    if packed.strip().lower() not in ("", "identity"):
        raise UnsupportedBody(f"a webhook reads bodies as they are, not {packed[:100]}; send it without Content-Encoding")
    media_type = _media_type(call)
    if media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json")):
        value = strict_json.decode(call.body)
        value = dict(value) if isinstance(value, dict) else value
    elif media_type == "application/x-www-form-urlencoded":
        value = _fields(_text(call.body))
    elif media_type.startswith("text/"):
        value = _text(call.body)
        strict_json.check(value)
    else:
        shown = media_type[:100] or "a body of no media type"
        raise UnsupportedBody(f"a webhook reads JSON, application/x-www-form-urlencoded and text, not {shown}; name it in Content-Type")
    if len(msgspec.json.encode(value)) > MAX_EVENT_BYTES:
        raise EventTooLarge(f"the body has more than {MAX_EVENT_BYTES} bytes as JSON; store the large part elsewhere and send its address")
    return value


def request_of(admitted: Admitted) -> dict[str, Any]:
    """How it was called, as `trigger.request` is read: without what a header says of who calls. Raises: Malformed."""
    call = admitted.call
    signing = {name for key in admitted.proofs for name in verifying.signing_headers(key[0], _header(admitted, key))}
    headers: dict[str, str] = {}
    left = MAX_ALL_HEADERS
    for name, values in call.headers.items():
        value = ", ".join(values)[:MAX_HEADER]
        size = len(name) + len(value)
        if name in signing or _SECRET.search(name) or _CONTROL.search(value) or size > left or len(headers) == MAX_HEADERS:
            continue
        left -= size
        headers[name] = value
    return {"method": call.method, "path": call.path, "query": _fields(call.query), "headers": headers}


def challenge_of(admitted: Admitted, payload: Any) -> str | None:
    """What Slack asks to have back before it sends events to an address; None where it does not ask."""
    asks = isinstance(payload, dict) and payload.get("type") == "url_verification" and any(key[0] == "slack" for key in admitted.proofs)
    challenge = payload.get("challenge") if asks else None
    return challenge if isinstance(challenge, str) else None


def events_of(admitted: Admitted, payload: Any, now: datetime, fresh: str) -> dict[Key, CloudEvent]:
    """The event that a call is, by entrance. fresh: the id of one that is like no other."""
    content_type = None if payload is None else _media_type(admitted.call) if isinstance(payload, str) else "application/json"
    return {
        key: CloudEvent(
            id=_id(admitted, key, payload, fresh),
            source=source_of(admitted.call.path, key),
            type=CALLED,
            data=payload,
            time=now,
            datacontenttype=content_type,
        )
        for key in admitted.proofs
    }


def source_of(path: str, key: Key) -> str:
    """The source of what comes in by an entrance."""
    signature, connection = key
    return HOOKS + path if signature == "none" else f"{HOOKS}{path}?signature={signature}&connection={quote(connection or '', safe='')}"


def consider(admitted: Admitted, key: Key, received: Received, tenant: Mapping[str, Any]) -> Iterable[Considered]:
    """What comes of each trigger of the path for what came in by an entrance; not of those that it came in for by another one."""
    for one in admitted.found:
        hook = one.trigger.hook
        if hook is None or (_key(hook) in admitted.proofs and _key(hook) != key):
            continue
        if one.trigger.enabled and admitted.call.method not in hook.methods:
            yield _not_for(one, "method", f"the trigger is called by {', '.join(hook.methods)}, and this was a {admitted.call.method}")
        elif one.trigger.enabled and _key(hook) != key:
            yield _not_for(one, "signature", f"the call is not signed by a secret of its connection {hook.connection!r}")
        else:
            yield consider_alone(received, one, tenant)


def consider_again(received: Received, found: Sequence[Candidate], tenant: Mapping[str, Any]) -> Iterable[Considered]:
    """What comes of triggers for a call that is in the log. Who signed it is told by the entrance that it came in by: its source."""
    path = received.event.source.removeprefix(HOOKS).partition("?")[0]
    method = (received.request or {}).get("method")
    for one in found:
        hook = one.trigger.hook
        if hook is None or hook.path != path:
            continue
        if one.trigger.enabled and method not in hook.methods:
            yield _not_for(one, "method", f"the trigger is called by {', '.join(hook.methods)}, and this was a {method}")
        elif one.trigger.enabled and source_of(path, _key(hook)) != received.event.source:
            yield _not_for(one, "signature", f"the call did not come in by {hook.signature} and the connection {hook.connection!r}")
        else:
            yield consider_alone(received, one, tenant)


def _not_for(one: Candidate, reason: str, detail: str) -> Considered:
    return Considered(one.workflow, one.version, one.trigger.id, False, reason, detail)


def _key(hook: Hook) -> Key:
    return hook.signature, None if hook.signature == "none" else hook.connection


def _header(admitted: Admitted, key: Key) -> str:
    return admitted.secrets.get(key[1] or "", Secrets()).header


def _id(admitted: Admitted, key: Key, payload: Any, fresh: str) -> str:
    """The sender's id of a delivery, else one that follows from what was signed, so that the same bytes are the same event."""
    proof = admitted.proofs[key]
    named = payload.get("event_id") if key[0] == "slack" and isinstance(payload, dict) else proof.delivery
    if isinstance(named, str) and verifying.is_id(named):
        return named
    if key[0] == "none":
        # Nobody signed it: the same bytes again are another call.
        return fresh
    signed = f"{admitted.call.path}\n{proof.at or ''}\n".encode() + admitted.call.body
    return f"sha256:{hashlib.sha256(signed).hexdigest()}"


def _media_type(call: Call) -> str:
    given = ", ".join(call.headers.get("content-type", ()))
    charset = _CHARSET.search(given)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise UnsupportedBody(f"a webhook reads UTF-8, not {charset[1][:100]}; send it as that")
    return given.partition(";")[0].strip().lower()


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8; send it encoded as that") from None


def _fields(text: str) -> dict[str, Any]:
    """The fields of a form or a query. Raises: Malformed."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise Malformed("a field is not UTF-8; escape its bytes as that") from None
    except ValueError:
        raise Malformed(f"there are more than {MAX_FIELDS} fields; send fewer, or JSON") from None
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    fields = {name: values[0] if len(values) == 1 else values for name, values in several.items()}
    strict_json.check(fields)
    return fields
