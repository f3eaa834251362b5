"""Who or what a visit rests for, as people are told."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from weft_engine.core.state import Pending

SHORT_BYTES: Final = 2_000
"""What a list tells of it at most, as JSON: of hundreds of candidates it tells none."""


def waited_for(pending: Pending) -> Any:
    """The gate, the signals and events, the task, the activity or the execution that a visit waits for; None where it is time alone."""
    if pending.gate is not None:
        return pending.gate
    data = pending.data
    match pending.kind:
        case "signal":
            return {"signals": data["signals"], "events": data["events"]} if "events" in data else data["signals"]
        case "task":
            return {name: data["task"][name] for name in ("task_id", "assignee", "candidates") if data["task"].get(name)}
        case "activity" | "retry" | "enhancing":
            return data["name"]
        case "child":
            return {"execution_id": data["child_id"], "workflow": data["workflow"]}
    return None


def shortly_waited_for(pending: Pending) -> Any:
    """The same where it is short, None else."""
    told = waited_for(pending)
    return told if told is None or len(msgspec.json.encode(told)) <= SHORT_BYTES else None
