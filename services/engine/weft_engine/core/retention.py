"""How long an execution is kept after its end: what its workflow says, else its tenant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

MAX_KEPT_DAYS: Final = 36_500


def kept_days(tenant: Mapping[str, Any], asked: int | None) -> int | None:
    """Days from its end on, None for ever. tenant: as expressions read it.  asked: `settings.retention_days` of its definition.

    A tenant says `settings.retention.executions_days`, 0 for ever; what is not said well keeps for ever: it is refused where it is given.
    """
    if asked is not None:
        return asked
    retention = (tenant.get("settings") or {}).get("retention")
    days = retention.get("executions_days") if isinstance(retention, dict) else None
    return days if isinstance(days, int) and not isinstance(days, bool) and 0 < days <= MAX_KEPT_DAYS else None


def kept_until(ended_at: datetime | None, days: int | None) -> datetime | None:
    """From when on it may be forgotten, None for never."""
    return None if ended_at is None or days is None else ended_at + timedelta(days=days)
