"""What the engine did against what the shadow says it does: the same things, and in an order that the language allows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from tests.engine.programs.driving.cored import Cored, Effect, Seen
from tests.engine.programs.shadow.execution import Execution

Placed = tuple[tuple[Any, ...], Effect]
TAKEN_BACK = ("task.cancel", "child.cancel", "child.pause", "child.resume", "no more")
LIVE = {"live": ("running", "waiting"), "new": ("queued",)}


def text(effect: Effect) -> str:
    """An effect as one text, so that effects with any values can be sorted and counted."""
    return json.dumps(effect, sort_keys=True, default=str)


def compare_effects(expected: list[Placed], seen: Seen, known: set[tuple[Any, ...]]) -> None:
    """known: fibers that had begun before.

    Raises: AssertionError when the engine did something else, or in an order that is not allowed.
    """
    visits = [(path, effect) for path, effect in expected if effect[0] == "visit"]
    says = [(path, effect) for path, effect in expected if effect[0] != "visit"]
    same("visits begun", (effect for _, effect in visits), seen.visits)
    same("asked of others", (effect for _, effect in says), seen.says)
    in_order([(path, effect) for path, effect in says if effect[0] not in TAKEN_BACK], seen.says)
    in_order(visits, seen.visits)
    begun_in_order([placed for placed in visits if placed[0] not in known], seen.visits)
    known.update(path for path, _ in visits)


def same(what: str, expected: Iterable[Effect], seen: Iterable[Effect]) -> None:
    """Both hold the same, in any order."""
    wanted, got = sorted(map(text, expected)), sorted(map(text, seen))
    assert got == wanted, f"{what}: expected {wanted}, got {got}"


def in_order(expected: list[Placed], seen: list[Effect]) -> None:
    """What one fiber does comes in its order; what different ones do in the same transition may mix, and may be the same."""
    for _, group in groupby(sorted(expected, key=lambda placed: placed[0]), key=lambda placed: placed[0]):
        effects = [effect for _, effect in group]
        rest = iter(map(text, seen))
        assert all(text(effect) in rest for effect in effects), f"expected this order: {effects}, got {seen}"


def begun_in_order(visits: list[Placed], seen: list[Effect]) -> None:
    """Branches and iterations that begin in the same transition begin in listed order."""
    place = {text(effect): number for number, effect in enumerate(seen)}
    first: dict[tuple[Any, ...], int] = {}
    for path, effect in visits:
        first.setdefault(path, place[text(effect)])
    for path, other in ((one, two) for one in first for two in first if one[:-1] == two[:-1] and one < two):
        assert first[path] < first[other], f"a later branch began before an earlier one: {seen}"


def compare_state(shadow: Execution, cored: Cored) -> None:
    """Raises: AssertionError when status, variables, output or error differ."""
    status = cored.state.status
    if not shadow.ended:
        wanted = LIVE.get(shadow.status, (shadow.status,))
        assert status in wanted, f"expected {shadow.status}, got {status}: {cored.state.error}"
    else:
        assert status == shadow.status, (
            f"expected {shadow.status} ({shadow.error and shadow.error.code}), got {status}: {cored.state.error}"
        )
    if shadow.status != "new":
        vars_ = cored.value(cored.state.vars)
        assert vars_ == shadow.walk.vars, f"expected vars {shadow.walk.vars}, got {vars_}"
    if shadow.status == "completed":
        output = cored.value(cored.state.output)
        assert output == shadow.output, f"expected output {shadow.output}, got {output}"
    if shadow.error is not None:
        compare_error(shadow, cored.state.error or {})
    compare_enhancements(shadow, cored)


def compare_enhancements(shadow: Execution, cored: Cored) -> None:
    """Each step tells whether a model's result was applied, and why not."""
    for node, visit in shadow.walk.newest.items():
        step = cored.state.steps.get(node)
        if visit.ended and visit.told is not None and step is not None:
            told = step.enhancement and (step.enhancement["applied"], step.enhancement["reason"])
            assert (step.visit, told) == (visit.number, visit.told), f"{node} should tell {visit.told}, got {step.enhancement}"


def compare_error(shadow: Execution, error: dict[str, Any]) -> None:
    """The error keeps its code, and the node and message of where it began."""
    wanted = shadow.error
    assert wanted is not None
    assert error.get("code") == wanted.code, f"expected error {wanted.code}, got {error}"
    if wanted.node is not None:
        assert error.get("node") == wanted.node, f"expected an error of {wanted.node}, got {error}"
    if wanted.message is not None:
        assert error.get("message") == wanted.message, f"expected the message {wanted.message!r}, got {error}"
