"""What time does to a whole execution: its promises, and what a pause puts off."""

from __future__ import annotations

from collections.abc import Iterable

from tests.engine.programs.shadow.fibers import Wait
from tests.engine.programs.shadow.frames import Document
from tests.engine.programs.shadow.office import after, put_off
from tests.engine.programs.shadow.trying import milliseconds


def promises(document: Document, now: int) -> dict[str, int]:
    """When an execution that begins now is at risk (`warned`) and late (`breached`) by its `sla`."""
    terms = document.get("sla")
    if terms is None:
        return {}
    due = milliseconds(terms["due"])
    lengths = {"warned": round(due * terms.get("warn_at", 0.8)), "breached": due}
    return {word: after(now, length) if "calendar" in terms else now + length for word, length in lengths.items()}


def put_off_waits(waits: Iterable[Wait], since: int, now: int) -> None:
    """What remained of each time when a pause began remains, working time where it is counted so."""
    for wait in waits:
        if wait.earliest is not None and wait.latest is not None:
            by_office = wait.about.get("calendar") is not None
            wait.earliest = put_off(wait.earliest, since, now) if by_office else wait.earliest + now - since
            wait.latest = put_off(wait.latest, since, now) if by_office else wait.latest + now - since
