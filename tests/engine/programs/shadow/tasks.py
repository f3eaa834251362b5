"""User tasks: what people are asked, and what ends a task. Who may decide, and what time does to a task before its end, is theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tests.engine.programs.shadow.expressions import Missing, render
from tests.engine.programs.shadow.fibers import RANG, Failed, Wait
from tests.engine.programs.shadow.frames import Document, Visit
from tests.engine.programs.shadow.trying import Late, milliseconds

if TYPE_CHECKING:
    from tests.engine.programs.shadow.walking import Walk


class Expired(Failed):
    """The ladder of a task has failed it: to its edges that is a timeout, to its `retry` an error like any other."""

    def __init__(self, node: str) -> None:
        super().__init__("timeout", node)


async def task(walk: Walk, node: Document, visit: Visit, names: Mapping[str, Any], *, leaves_late: bool) -> tuple[str, Any]:
    """Ask people. leaves_late: whether there is an edge on `timeout`, which makes `due` end a task that nothing else ends."""
    with_ = node["with"]
    asked = asked_of_people(with_, walk.now, names)
    walk.did("task.create", visit.node, visit.number, asked)
    wait = Wait("task", visit.node, visit.number, about={"outcomes": asked["outcomes"], "ladder": with_.get("on_timeout", [])})
    if "due" in with_ and "timeout" not in node and "on_timeout" not in with_ and leaves_late:
        wait.earliest = wait.latest = asked["due_at"]
    got = await wait
    if got == RANG:
        walk.did("task.cancel", visit.node, visit.number)
        raise Late(node["id"])
    return got  # type: ignore[no-any-return]


def asked_of_people(with_: Document, now: int, names: Mapping[str, Any]) -> dict[str, Any]:
    """What people are told of a task, rendered as it begins."""
    asked: dict[str, Any] = {"title": render(with_["title"], names), "outcomes": with_.get("outcomes", ["completed"])}
    rendered = {name: render(with_[name], names) for name in ("data", "assignee", "candidates", "separate_from") if name in with_}
    asked |= {name: value for name, value in rendered.items() if value is not None}
    if "due" in with_:
        asked["due_at"] = now + milliseconds(with_["due"])
        if "reminders" in with_:
            asked["reminders"] = [milliseconds(text) / 1_000 for text in with_["reminders"]]
    if "on_timeout" in with_:
        asked["on_timeout"] = [_rung(rung, names) for rung in with_["on_timeout"]]
    excluded: dict[str, str] = {}
    for other in with_.get("separate_from", ()):
        for user in _deciders(names["step"], other):
            excluded.setdefault(user, other)
    return {**asked, "excluded": excluded} if excluded else asked


def _rung(rung: Document, names: Mapping[str, Any]) -> dict[str, Any]:
    to = render(rung.get("to"), names)
    whom = {} if to is None else {"assignee": to} if isinstance(to, str) else {"candidates": to}
    outcome = {"outcome": rung["outcome"]} if "outcome" in rung else {}
    return {"after_s": milliseconds(rung["after"]) / 1_000, "do": rung["do"], **outcome, **whom}


def _deciders(steps: Mapping[str, Any], node: str) -> Iterator[str]:
    """Who decided, or had a part in it, in the visit of a task that a reader sees."""
    try:
        output = steps[node].get("output")
    except Missing:
        return
    if isinstance(output, Mapping):
        for decision in (output, *output.get("approvals", ())):
            if "completed_by" in decision:
                yield decision["completed_by"]
