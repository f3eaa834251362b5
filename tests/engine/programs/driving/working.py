"""What a worker does with an activity, which stands in its name.

`ok` at once; `flaky` fails twice, then is ok; `broken` fails for good; `worn` fails each time; `odd` ends with another outcome; `dies`
takes the first attempt and is never heard again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from weft_engine.core import items as i


def done_by_worker(execution: UUID, name: str, node: str, visit: int, attempt: int) -> tuple[Any, tuple[Any, ...]]:
    """The item for the engine, and the same in the shadow's words."""
    place = (execution, node, visit, attempt)
    if name == "broken" or name == "worn" or (name == "flaky" and attempt < 3):
        code, permanent = ("broken", True) if name == "broken" else ("busy", False)
        return i.ActivityFailed(*place, {"code": code, "message": code, "permanent": permanent}), ("failed", code, permanent)
    if name == "dies" and attempt == 1:
        return i.ActivityAccepted(*place), ("accepted",)
    output, outcome = {"v": f"{node}#{visit}"}, "odd" if name == "odd" else "done"
    return i.ActivityCompleted(*place, outcome, output), ("completed", outcome, output)
