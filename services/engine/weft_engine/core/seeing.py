"""What a transition saw of its tenant, written down where the definition reads it: settings change, what has happened does not."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from weft_engine.core.claims import Claimed
from weft_engine.core.entries import Entry

SEEN: Final = "tenant_seen"
"""The member of an entry's data: `{tier, settings}`, as they were from this entry on."""
_encode: Final = msgspec.json.Encoder().encode


def seen(tenant: Mapping[str, Any]) -> dict[str, Any]:
    """What is written down of a tenant."""
    return {"tier": tenant["tier"], "settings": tenant["settings"]}


def seeing(entry: Entry, known: Mapping[str, Any] | None, tenant: Mapping[str, Any]) -> Entry:
    """The first entry of a transition, with the tenant as expressions read it unless that is known. known: from the entries before."""
    if known is not None and known["tier"] == tenant["tier"] and _same(known["settings"], tenant["settings"]):
        return entry
    return msgspec.structs.replace(entry, data={**entry.data, SEEN: seen(tenant)})


def _same(known: Any, now: Any) -> bool:
    if type(known) is not Claimed:
        return bool(known == now)
    return known.id == "sha256:" + sha256(_encode(now)).hexdigest()


def tenant_of(tenant_id: str, known: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The tenant as expressions read it then, None where that was not written down."""
    return None if known is None else {"id": tenant_id, **known}
