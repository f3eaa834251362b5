"""How a source stands: whether it is behind, whether what is in its database is older than this release, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from weft_events.records.sources import Source

CAPTURE: Final = 2
"""The version of what this release puts into a database. Whoever changes the capture function counts it up: sources tell that they are
to be installed again. Before it was counted it was 1.
"""
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where a source is behind. lag_s: the age of what is not in the log.  outbox_bytes: on the disk of its database."""

    lag_s: float
    outbox_bytes: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a source's database. missing: tables that are not captured.  version: of the capture function, None without one."""

    missing: tuple[str, ...]
    version: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a source came to.

    pending: changes that wait, 10,000 for that many or more.  lag_s: the age of the oldest.  outbox_bytes: None where it was not measured.
    checked: None where it was not looked whether capture is in place.
    """

    pending: int = 0
    lag_s: float = 0.0
    outbox_bytes: int | None = None
    checked: Checked | None = None


def outdated(source: Source) -> bool:
    """Whether what is in its database is of an earlier release."""
    return source.installed is not None and source.capture_version is not None and source.capture_version < CAPTURE


def unread_s(source: Source, now: datetime) -> float:
    """For how long nobody has read a source that is to be read, s; 0 for one that is being read."""
    since = source.looked_at or source.installed_at
    return 0.0 if source.owned or source.installed is None or since is None else max(0.0, (now - since).total_seconds())


def behind(source: Source, bounds: Bounds, now: datetime) -> bool:
    """Whether changes wait for long, or many of them."""
    lag_s = source.lag_s + unread_s(source, now)
    return source.installed is not None and (lag_s >= bounds.lag_s or source.outbox_bytes >= bounds.outbox_bytes)


def advice(source: Source, bounds: Bounds, now: datetime) -> list[str]:
    """What to do about a source, in sentences; nothing where all is well."""
    said = []
    again = f"POST /api/v1/sources/{source.id}/install"
    if outdated(source):
        was = source.capture_version
        said.append(
            f"what captures its changes is version {was}, and this release has {CAPTURE}: install it again ({again}), nothing is lost by it"
        )
    if source.missing:
        said.append(f"changes of {', '.join(source.missing)} are not captured any more: install it again ({again})")
    if source.refused:
        said.append(
            f"{source.refused} changes were set aside in its outbox with what refused them: mend that, then install it again ({again})"
        )
    unread = unread_s(source, now)
    if unread >= bounds.lag_s:
        said.append(f"nobody has read it for {unread:.0f} s, and its outbox grows with every change: {_mend(source)}")
    elif source.lag_s >= bounds.lag_s:
        said.append(f"its oldest change waits for {source.lag_s:.0f} s: it is read more slowly than it is written to")
    if source.installed is not None and source.outbox_bytes >= bounds.outbox_bytes:
        empty = "" if source.pending else "; it is read, so VACUUM FULL of it gives the room back"
        table = f"weft_outbox.change_{source.id.hex}"
        said.append(f"its outbox {table} has {source.outbox_bytes / _MIB:.0f} MiB on the disk of its database, and has no bound{empty}")
    return said


def _mend(source: Source) -> str:
    if source.suspended_since is not None:
        return "its connection is suspended, DELETE /api/v1/suspensions/{id} lets it go on"
    return "mend what last_error tells, or take it out with DELETE" if source.error is not None else "let a process of events run"
