"""What the ends of executions tell of the ways they took, added up: by node and by way, for each hour in which executions started. Pure.

Each end counts once, and one that follows a retry by hand tells of what came since the end before. So a node's numbers are of everything
that happened in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid5

from weft_contracts.walks import PATH_GOES_ON, StepNumbers, lengthened

from weft_analytics.domain import STATUS_OF, End
from weft_analytics.histogram import bucket_of
from weft_analytics.rollups import HOUR

WAYS_MOST: Final = 1000
"""Ways of one workflow that are told apart; what comes after them is counted together."""
OTHER_WAYS: Final = UUID(int=0)
"""Stands for the ways that are not told apart."""
_WAYS: Final = UUID("8d5f3f4e-9f0c-5c1b-9d8e-6a6f1c7b2a11")


class Hour(NamedTuple):
    """Executions of a version of a workflow that started in an hour. at: where it begins, seconds since 1970."""

    workflow: str
    version: int
    at: int


@dataclass(slots=True)
class Heard:
    """What the ends of one tenant in a batch tell, as they tell it: how often each hour, with each node's numbers, or with each way.

    Ends that tell the same of a node are one entry: that is all that is done while facts are heard.
    plain: of the plainest ways, by what tells them and by how the execution ended.
    """

    steps: dict[tuple[Hour, StepNumbers], int] = field(default_factory=dict)
    ways: dict[tuple[Hour, tuple[str, ...], str, int], int] = field(default_factory=dict)
    plain: dict[tuple[Hour, str, str, int], int] = field(default_factory=dict)

    def add(self, end: End) -> None:
        """Add what an end tells."""
        began = int(end.started_at.timestamp())
        hour = Hour(end.workflow, end.workflow_version, began - began % HOUR)
        ended = STATUS_OF[type(end)], bucket_of(end.duration_ms)
        if end.walk is not None:
            plain = (hour, end.walk, *ended)
            self.plain[plain] = self.plain.get(plain, 0) + 1
            return
        self._add_steps(hour, end.steps, 1)
        if end.path:
            self._add_way((hour, end.path, *ended), 1)

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        for (hour, walk, status, bucket), count in self.plain.items():
            path, steps = lengthened(walk)
            self._add_steps(hour, steps, count)
            self._add_way((hour, path, status, bucket), count)
        self.plain.clear()
        return {"steps": [(*key, count) for key, count in self.steps.items()], "ways": [(*way, count) for way, count in self.ways.items()]}

    def _add_steps(self, hour: Hour, steps: Iterable[StepNumbers], count: int) -> None:
        for numbers in steps:
            key = (hour, numbers)
            self.steps[key] = self.steps.get(key, 0) + count

    def _add_way(self, way: tuple[Hour, tuple[str, ...], str, int], count: int) -> None:
        self.ways[way] = self.ways.get(way, 0) + count


@dataclass(slots=True)
class Numbers:
    """What ends tell of an hour, added up. nodes: completed, failed, cancelled, retries.

    times: visits by node, whether they waited, and bucket.
    ways: ends by path (ids of nodes, a space between), status and bucket of the whole duration.
    """

    nodes: dict[str, list[int]] = field(default_factory=dict)
    times: dict[tuple[str, bool, int], int] = field(default_factory=dict)
    ways: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def add_steps(self, numbers: Sequence[Any], ends: int) -> None:
        """Add what so many ends tell of a node."""
        name, *counts, run, wait = numbers
        kept = self.nodes.setdefault(name, [0, 0, 0, 0])
        for place, count in enumerate(counts):
            kept[place] += count * ends
        for waits, histogram in ((False, run), (True, wait)):
            for place in range(0, len(histogram) - 1, 2):
                key = (name, waits, histogram[place])
                self.times[key] = self.times.get(key, 0) + histogram[place + 1] * ends

    def add_way(self, path: str, status: str, bucket: int, ends: int) -> None:
        """Add so many ends of a way."""
        self.ways[path, status, bucket] = self.ways.get((path, status, bucket), 0) + ends


@dataclass(slots=True)
class Walks:
    """Numbers of one tenant, by hour."""

    hours: dict[Hour, Numbers] = field(default_factory=lambda: defaultdict(Numbers))

    def take(self, told: Mapping[str, Any]) -> None:
        """Add what a `Heard` told."""
        for hour, numbers, ends in told["steps"]:
            self.hours[Hour(*hour)].add_steps(numbers, ends)
        for hour, path, status, bucket, ends in told["ways"]:
            self.hours[Hour(*hour)].add_way(" ".join(path), status, bucket, ends)


def added(ends: Iterable[tuple[str, End]]) -> dict[str, Heard]:
    """What these (tenant, end) pairs tell, by tenant; nothing of those that tell nothing."""
    heard: dict[str, Heard] = {}
    for tenant, end in ends:
        if end.walk is not None or end.steps or end.path:
            heard.setdefault(tenant, Heard()).add(end)
    return heard


def way_id(path: str) -> UUID:
    """The id of a way, the same wherever it is made."""
    return uuid5(_WAYS, path)


def is_cut(path: Iterable[str]) -> bool:
    """Whether a way is longer than it is told."""
    return PATH_GOES_ON in path
