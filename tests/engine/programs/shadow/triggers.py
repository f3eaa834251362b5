"""What the triggers of a workflow make of a domain event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from tests.engine.programs.shadow.expressions import evaluate, render
from tests.engine.programs.shadow.frames import Document


def started(triggers: Sequence[Document], type_: str, source: str, payload: Document) -> list[tuple[str | None, Any]]:
    """Key and input of each execution that an event starts, by the order of the triggers."""
    names = {"trigger": {"payload": payload, "type": "event"}}
    found: list[tuple[str | None, Any]] = []
    for trigger in sorted(triggers, key=lambda one: one.get("priority", 100)):
        fits = trigger["on"] == "event" and fnmatchcase(type_, trigger["event"]) and fnmatchcase(source, trigger.get("source", "*"))
        if not fits or not trigger.get("enabled", True) or ("when" in trigger and evaluate(trigger["when"], names) is not True):
            continue
        key = render(trigger.get("key"), names)
        key = None if key in (None, "") else key if isinstance(key, str) else json.dumps(key, separators=(",", ":"))
        found.append((key, render(trigger["input"], names) if "input" in trigger else payload))
    return found
