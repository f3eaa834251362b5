"""Words signed as they are said: by whom, and from where. What is to be audited leaves without secrets, and within bounds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from weft_contracts.audit import Origin, RecordAudit
from weft_contracts.message import Message

from weft_runtime.telemetry.redaction import redact

if TYPE_CHECKING:
    from weft_runtime.auth.caller import Caller

TOLD_BYTES: Final = 32 * 1024
"""What a deed tells of each, before, after and details, as JSON."""


def signed(message: Message, tenant: str, caller: Caller | None, traceparent: str | None, now: datetime) -> Message:
    """The word with what it leaves open: `by` and `origin`, where it has them. tenant: whose it is.  now: when a deed is done."""
    told: dict[str, Any] = {}
    if isinstance(message, RecordAudit):
        told = {name: bounded(getattr(message, name)) for name in ("before", "after", "details")}
        told["at"] = message.at or now
    if caller is not None and getattr(message, "by", message) is None:
        told["by"] = caller.sub
    if getattr(message, "origin", message) is None and (caller is not None or isinstance(message, RecordAudit)):
        told["origin"] = origin_of(tenant, caller, traceparent)
    return message.model_copy(update=told) if told else message


def origin_of(tenant: str, caller: Caller | None, traceparent: str | None, *, ip: str = "") -> Origin:
    """Where a deed comes from. tenant: in which it is done.  ip: where nobody has signed in yet."""
    trace_id = _trace_id(traceparent)
    if caller is None:
        return Origin(ip=ip or None, trace_id=trace_id)
    return Origin(
        kind=caller.kind,
        owner=caller.owner or None,
        tenant=None if caller.tenant == tenant else caller.tenant,
        ip=caller.ip or ip or None,
        request_id=caller.request_id or None,
        trace_id=trace_id,
    )


def bounded(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """The value without secrets; only the names in it and its size where it is too large to be told."""
    if value is None:
        return None
    plain = redact(value)
    size = len(msgspec.json.encode(plain, enc_hook=str))
    return plain if size <= TOLD_BYTES else {"too_large_bytes": size, "names": sorted(map(str, plain))[:100]}


def _trace_id(traceparent: str | None) -> str | None:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) >= 4 else None
