"""What an execution that has not begun waits for: each gate, and a sentence on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from weft_engine.core.quotas import LIVE_GATE, QUOTA_OF, STARTS_GATE, quotas_of
from weft_engine.schemas import GateView
from weft_engine.store.quotas import Standing
from weft_engine.store.suspensions import Suspension

_SUSPENDED: Final = "suspended:"


def gate_views(standings: Sequence[Standing], tenant: Mapping[str, Any]) -> list[GateView]:
    """Each gate that an execution waits at, with its bound of now. tenant: as expressions read it."""
    quotas = quotas_of(tenant.get("settings"))
    found: list[GateView] = []
    for one in standings:
        bound = {LIVE_GATE: quotas.live, STARTS_GATE: None if quotas.starts is None else quotas.starts.per_s}
        if one.gate in QUOTA_OF:
            kind, name, limit = "quota", QUOTA_OF[one.gate], bound[one.gate]
        elif one.gate.startswith(_SUSPENDED):
            kind, name, limit = "suspension", one.gate.removeprefix(_SUSPENDED), None
        else:
            kind, name, limit = "concurrency", one.gate.split(":", 2)[-1], float(one.capacity)
        live = None if kind == "suspension" or one.gate == STARTS_GATE else one.live
        full = live is None or (limit is not None and live >= limit)
        found.append(GateView(kind=kind, name=name, since=one.since, limit=limit, live=live, full=full, ahead=one.ahead))
    return found


def because(gate: GateView, held_up: Mapping[str, str]) -> str:
    """One sentence on a gate. held_up: suspensions by their gate, in words."""
    since = f"since {gate.since.isoformat(timespec='seconds')}"
    ahead = f", with {gate.ahead} before it"
    if gate.kind == "suspension":
        return f"is held up by {held_up.get(_SUSPENDED + gate.name, f'suspension {gate.name}')} {since}"
    if gate.live is None:
        return f"waits for the tenant's quota {gate.name}, {gate.limit or 0:g} a second, {since}{ahead}"
    bound = f"{gate.live} of {gate.limit or 0:g} live"
    if gate.kind == "quota":
        return f"waits for the tenant's quota {gate.name}, of which {bound}, {since}{ahead}"
    return f"waits for a place among those with the key {gate.name!r} (settings.concurrency), of which {bound}, {since}{ahead}"


def suspensions_in_words(suspensions: Sequence[Suspension]) -> dict[str, str]:
    """What each of these holds up and why, by its gate."""
    return {f"{_SUSPENDED}{one.id}": _in_words(one) for one in suspensions}


def _in_words(suspension: Suspension) -> str:
    kind = suspension.kind.replace("_", " ")
    what = f"the {kind} {suspension.name}" if suspension.name else f"the {kind}"
    return f"suspension {suspension.id} of {what}" + (f" ({suspension.reason})" if suspension.reason else "")
