"""Time that is written down: durations, how long a node may take, when it is tried again."""

from __future__ import annotations

from tests.engine.programs.shadow.fibers import Failed
from tests.engine.programs.shadow.frames import Document

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


def milliseconds(text: str) -> int:
    """A duration in its short form."""
    number = text.rstrip("hms")
    return int(number) * UNITS[text[len(number) :]]


def pause_before(retry: Document, attempt: int, code: str, permanent: bool, elapsed: int) -> tuple[int, int] | None:
    """Milliseconds at least and at most before the attempt after this one, None when there is none.

    elapsed: since the first one began, pauses left out.
    """
    refused = permanent or code in retry.get("not_on", ()) or code not in retry.get("on", [code])
    if refused or attempt >= retry.get("attempts", 5):
        return None
    pause = int(milliseconds(retry.get("delay", "1s")) * retry.get("factor", 2) ** (attempt - 1))
    pause = min(milliseconds(retry.get("max_delay", "5m")), pause)
    if elapsed + pause > milliseconds(retry.get("deadline", "999999h")):
        return None
    return pause // 2 if retry.get("jitter", True) else pause, pause


class Late(Failed):
    """A node's own `timeout` is over: for good, whatever its `retry` says. To what is around the node it is an error like any other."""

    def __init__(self, node: str) -> None:
        super().__init__("timeout", node)


def is_late(error: Failed, node: Document) -> bool:
    """Whether an error is that of a node's own `timeout`."""
    return isinstance(error, Late) and error.node == node["id"]
