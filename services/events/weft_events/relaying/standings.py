"""How the sources of this process stand: counted for whoever watches, and said once when one falls behind or is found to be outdated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from prometheus_client import CollectorRegistry, Gauge
from structlog.typing import FilteringBoundLogger
from weft_runtime.context import ServiceContext

from weft_events.records import CAPTURE, Bounds, Held, Key, Look
from weft_events.settings import Settings


def bounds_of(context: ServiceContext) -> Bounds:
    """From where a source is behind, by the settings."""
    settings = cast(Settings, context.settings)
    return Bounds(settings.record_lag_warn_s, settings.record_outbox_warn_bytes)


@dataclass(slots=True)
class _Standing:
    behind: bool = False
    outdated: bool = False
    outbox_bytes: int = 0


class RecordStandings:
    """The sources that this process reads. bounds: from where one is behind."""

    def __init__(self, registry: CollectorRegistry, log: FilteringBoundLogger, bounds: Bounds) -> None:
        self._log = log
        self._bounds = bounds
        self._of: dict[Key, _Standing] = {}
        self._behind = Gauge("weft_record_sources_behind", "Sources read here that are behind.", registry=registry)
        self._outdated = Gauge("weft_record_sources_outdated", "Sources read here that an earlier release installed.", registry=registry)
        self._largest = Gauge("weft_record_outbox_bytes", "The largest outbox of the sources read here, on its disk.", registry=registry)

    def note(self, held: Held, look: Look) -> None:
        """Remember what a look at a source came to."""
        was = self._of.get(held.key, _Standing())
        outbox_bytes = was.outbox_bytes if look.outbox_bytes is None else look.outbox_bytes
        is_outdated = was.outdated if look.checked is None else (look.checked.version or CAPTURE) < CAPTURE
        now = self._of[held.key] = _Standing(
            look.lag_s >= self._bounds.lag_s or outbox_bytes >= self._bounds.outbox_bytes, is_outdated, outbox_bytes
        )
        about = {"tenant": held.tenant, "source": held.name}
        if now.behind and not was.behind:
            self._log.warning("source is behind", lag_s=round(look.lag_s), pending=look.pending, outbox_bytes=outbox_bytes, **about)
        elif was.behind and not now.behind:
            self._log.info("source is no longer behind", outbox_bytes=outbox_bytes, **about)
        if now.outdated and not was.outdated:
            what = "an earlier release put capture into its database; POST /api/v1/sources/{id}/install puts this one's there"
            self._log.warning("source is outdated", what=what, id=str(held.id), **about)
        self._count()

    def forget(self, held: Held) -> None:
        """It is not read here any more."""
        if self._of.pop(held.key, None) is not None:
            self._count()

    def _count(self) -> None:
        standings = self._of.values()
        self._behind.set(sum(one.behind for one in standings))
        self._outdated.set(sum(one.outdated for one in standings))
        self._largest.set(max((one.outbox_bytes for one in standings), default=0))
