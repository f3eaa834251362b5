"""What the core is given besides state, item and time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from weft_language.expressions import Calendar

from weft_engine.core.claims import NOTHING_READ, Values
from weft_engine.core.names import NONE


@dataclass(frozen=True, slots=True)
class Context:
    """What the core is given besides state, item and time.

    tenant: `{id, tier, settings}` as expressions read it.  resend_s: seconds without an answer after which a request is sent again.
    lease_s: seconds an accepted activity may go without a heartbeat.  suspended: gates by what they hold up: `tenant`,
    `workflow:<slug>`, `node_type:<type>`, `connection:<name>`.  values: contents of what is kept apart, as far as it was read.
    calendars: the tenant's business calendars, by name.  tenants: ids of all tenants, each with queues of its own, where the program names
    queues.  shared_queues: those of the installation that every tenant may use, None where any is that is no tenant's.
    """

    tenant: Mapping[str, Any]
    resend_s: float = 60.0
    lease_s: float = 60.0
    suspended: Mapping[str, str] = field(default_factory=dict)
    values: Values = NOTHING_READ
    calendars: Mapping[str, Calendar] = field(default_factory=lambda: NONE)
    tenants: Collection[str] = frozenset()
    shared_queues: Collection[str] | None = None
