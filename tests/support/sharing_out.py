"""How the tests are shared out to several processes."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.modes import IN_MANY, IN_ONE

LONGEST = (
    f"mesh of {IN_ONE}",
    f"mesh of {IN_MANY}",
    "tests/engine/programs/test_shadow_model.py",
    "tests/faults/test_kills.py",
    "tests/engine/programs/test_retries.py",
    "tests/faults/test_crash_points.py",
    "tests/faults/test_wire.py",
    "tests/faults/test_campaigns.py",
    "tests/stack/test_up.py",
    "tests/faults/test_owners.py",
    "tests/runtime/pipeline/test_faults.py",
    "tests/runtime/bus/test_broker_loss.py",
    "tests/faults/test_rooms.py",
    "tests/faults/test_random_programs.py",
    "tests/faults/test_late_answers.py",
    "tests/model/test_protocol.py",
)
"""What takes the longest begins first, so that the processes end together. What is not named, or not there, costs nothing but that."""


def scope_of(nodeid: str) -> str:
    """What goes to one process: the tests of a file, or of a kept mesh, whatever files they are in: starting it costs more than they do."""
    file, _, name = nodeid.partition("::")
    return next((f"mesh of {mode}" for mode in (IN_MANY, IN_ONE) if f"[{mode}" in name), file)


def longest_first(items: list[Any]) -> None:
    """Put the tests in the order in which they are given out."""
    places = {scope: place for place, scope in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(scope_of(item.nodeid), len(places)))


class InRows(LoadScopeScheduling):  # type: ignore[misc]
    """To one process go the tests of one scope."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
