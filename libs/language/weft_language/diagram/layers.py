"""A layered layout: nodes in rows, edges down, few crossings. Pure geometry; the same graph gives the same layout.

Source: Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981): ranks by longest path, places
in a rank by the mean of the neighbours, places across by moving each towards its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

GAP_X: Final = 36.0
GAP_Y: Final = 56.0
LANE: Final = 14.0
MAX_SPAN: Final = 12
"""Ranks that an edge passes between nodes; a longer one goes around, in a lane beside them."""
MAX_LANES: Final = 12
_SWEEPS: Final = 6

Point = tuple[float, float]
_Heights = tuple[list[float], list[float]]
"""The upper edge and the height of each row."""


@dataclass(slots=True)
class Layout:
    """places: the upper left corner of each node.  ways: the points of each edge, in the order given.  width, height: of it all."""

    places: list[Point]
    ways: list[list[Point]]
    width: float
    height: float


@dataclass(slots=True)
class _Slot:
    """A place in a rank: a node, or a point where an edge passes. x: of its middle."""

    size: Point
    rank: int
    node: int | None = None
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)
    x: float = 0.0


def lay_out(sizes: Sequence[Point], edges: Sequence[tuple[int, int]]) -> Layout:
    """Where nodes and edges are drawn.

    sizes: width and height of each node; the first is where it begins.  edges: from and to, by places in `sizes`.
    """
    forward = _forward(len(sizes), edges)
    ranks = _ranks(len(sizes), [edges[place] for place in forward])
    slots = [_Slot(size, ranks[node], node) for node, size in enumerate(sizes)]
    passing: dict[int, list[int]] = {}
    for place in forward:
        source, target = edges[place]
        if ranks[target] - ranks[source] <= MAX_SPAN:
            passing[place] = _passed(slots, source, target)
    rows = _rows(slots)
    _order(slots, rows)
    _across(slots, rows)
    tops, heights = _down(slots, rows)
    left = min(slot.x - slot.size[0] / 2 for slot in slots)
    for slot in slots:
        slot.x -= left
    right = max(slot.x + slot.size[0] / 2 for slot in slots)
    places = [(slot.x - slot.size[0] / 2, tops[slot.rank]) for slot in slots[: len(sizes)]]
    ports = _ports(slots, edges, passing)
    ways, lanes = [], 0
    for place, (source, target) in enumerate(edges):
        if place in passing:
            ways.append(_way(slots, ports[place], (source, target), passing[place], (tops, heights)))
        else:
            lane = right + LANE * (1.5 + lanes % MAX_LANES)
            lanes += 1
            ways.append(_around(places, sizes, source, target, lane))
    width = right + (LANE * (2 + min(lanes, MAX_LANES)) if lanes else 0)
    return Layout(places, ways, width, tops[-1] + heights[-1])


def _forward(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The edges that do not lead back, by a walk in the order given, from the first node and then from what it does not reach."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for place, (source, _) in enumerate(edges):
        leaving[source].append(place)
    state = [0] * count  # 0: not seen, 1: on the way, 2: done
    found: list[int] = []
    for first in range(count):
        stack = [(first, iter(leaving[first]))] if state[first] == 0 else []
        state[first] = state[first] or 1
        while stack:
            node, left = stack[-1]
            following = next(left, None)
            if following is None:
                state[node] = 2
                stack.pop()
                continue
            target = edges[following][1]
            if state[target] != 1:
                found.append(following)
            if state[target] == 0:
                state[target] = 1
                stack.append((target, iter(leaving[target])))
    return sorted(found)


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each node: below all that lead to it."""
    entering = [0] * count
    leaving: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        entering[target] += 1
        leaving[source].append(target)
    ranks = [0] * count
    waiting = [node for node in range(count) if entering[node] == 0]
    while waiting:
        node = waiting.pop()
        for target in leaving[node]:
            ranks[target] = max(ranks[target], ranks[node] + 1)
            entering[target] -= 1
            if entering[target] == 0:
                waiting.append(target)
    return ranks


def _passed(slots: list[_Slot], source: int, target: int) -> list[int]:
    """Lead an edge through the ranks between its ends. Returns: the slots it passes."""
    made: list[int] = []
    before = source
    for rank in range(slots[source].rank + 1, slots[target].rank):
        slots.append(_Slot((8.0, 0.0), rank))
        made.append(len(slots) - 1)
        _join(slots, before, made[-1])
        before = made[-1]
    _join(slots, before, target)
    return made


def _join(slots: list[_Slot], above: int, below: int) -> None:
    slots[above].below.append(below)
    slots[below].above.append(above)


def _rows(slots: list[_Slot]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(slot.rank for slot in slots) + 1)]
    for place, slot in enumerate(slots):
        rows[slot.rank].append(place)
    return rows


def _order(slots: list[_Slot], rows: list[list[int]]) -> None:
    """Bring each row into an order with few crossings: by the mean place of what each is joined to, down and up in turn."""
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        place = {one: at for row in rows for at, one in enumerate(row)}
        for row in rows[1:] if down else rows[-2::-1]:
            now = {one: at for at, one in enumerate(row)}
            means = {one: _mean([place[near] for near in (slots[one].above if down else slots[one].below)], now[one]) for one in row}
            row.sort(key=lambda one: (means[one], now[one]))
            place |= {one: at for at, one in enumerate(row)}


def _across(slots: list[_Slot], rows: list[list[int]]) -> None:
    """Choose places across: beside each other, then each row as near to its neighbours as its order allows."""
    for row in rows:
        at = 0.0
        for one in row:
            slots[one].x = at + slots[one].size[0] / 2
            at += slots[one].size[0] + GAP_X
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wanted = [
                _mean(
                    [slots[near].x for near in ((slots[one].above if down else slots[one].below) or slots[one].above or slots[one].below)],
                    slots[one].x,
                )
                for one in row
            ]
            _settle(slots, row, wanted)


def _settle(slots: list[_Slot], row: list[int], wanted: list[float]) -> None:
    """Place a row as near to what is wanted as may be: the mean of what is reached from its left and from its right."""
    lefts: list[float] = []
    for position, one in enumerate(row):
        least = lefts[-1] + _apart(slots, row[position - 1], one) if lefts else wanted[position]
        lefts.append(max(wanted[position], least))
    rights: list[float] = []
    for position in range(len(row) - 1, -1, -1):
        most = rights[-1] - _apart(slots, row[position], row[position + 1]) if rights else wanted[position]
        rights.append(min(wanted[position], most))
    for one, low, high in zip(row, lefts, reversed(rights), strict=True):
        slots[one].x = (low + high) / 2


def _apart(slots: list[_Slot], left: int, right: int) -> float:
    return (slots[left].size[0] + slots[right].size[0]) / 2 + GAP_X


def _down(slots: list[_Slot], rows: list[list[int]]) -> tuple[list[float], list[float]]:
    """The upper edge and the height of each row."""
    heights = [max(slots[one].size[1] for one in row) for row in rows]
    tops = [0.0]
    for height in heights[:-1]:
        tops.append(tops[-1] + height + GAP_Y)
    return tops, heights


def _way(slots: list[_Slot], ports: tuple[float, float], ends: tuple[int, int], passed: list[int], rows: _Heights) -> list[Point]:
    (source, target), (tops, heights) = ends, rows
    points = [(ports[0], tops[slots[source].rank] + slots[source].size[1])]
    for one in passed:
        top = tops[slots[one].rank]
        points += [(slots[one].x, top), (slots[one].x, top + heights[slots[one].rank])]
    return [*points, (ports[1], tops[slots[target].rank])]


def _ports(slots: list[_Slot], edges: Sequence[tuple[int, int]], passing: Mapping[int, list[int]]) -> dict[int, tuple[float, float]]:
    """Where each edge leaves and enters its nodes: those of one side stand apart, in the order of where they lead."""
    sides: dict[tuple[int, bool], list[tuple[float, int]]] = {}
    for place, passed in passing.items():
        source, target = edges[place]
        sides.setdefault((source, True), []).append((slots[(passed or [target])[0]].x, place))
        sides.setdefault((target, False), []).append((slots[(passed or [source])[-1]].x, place))
    found: dict[tuple[int, bool], float] = {}
    for (node, leaving), joined in sides.items():
        width = slots[node].size[0]
        for at, (_, place) in enumerate(sorted(joined), start=1):
            found[place, leaving] = slots[node].x - width / 2 + width * at / (len(joined) + 1)
    return {place: (found[place, True], found[place, False]) for place in passing}


def _around(places: list[Point], sizes: Sequence[Point], source: int, target: int, lane: float) -> list[Point]:
    (left, top), (width, height) = places[source], sizes[source]
    (to_left, to_top), (to_width, to_height) = places[target], sizes[target]
    begin, end = top + height * 2 / 3, to_top + to_height / 3
    return [(left + width, begin), (lane, begin), (lane, end), (to_left + to_width, end)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
