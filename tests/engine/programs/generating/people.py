"""User tasks: whom they are for, by when, what happens when nobody decides."""

from __future__ import annotations

from tests.engine.programs.generating.maker import Document, Maker, Place


def task(maker: Maker, place: Place) -> Document:
    """The `with` of a task."""
    with_: Document = {"title": f"decide {{{{ {maker.number(place)} }}}}"}
    if maker.pick(4) < 3:
        with_["outcomes"] = ["yes", "no"]
    if maker.one_in(4):
        with_ |= maker.one(({"assignee": "ann"}, {"candidates": {"groups": ["all"], "users": ["bob"]}}, {"data": maker.value(place)}))
    earlier = [name for name in maker.steps if name.startswith("task")]
    if earlier and not place.beside and maker.one_in(2):
        with_["separate_from"] = [maker.one(earlier)]
    return with_


def limit_task(maker: Maker, node: Document) -> None:
    """Until when, and then what."""
    with_ = node["with"]
    if "timeout" not in node and maker.one_in(4):
        with_["due"] = maker.duration()
        if maker.one_in(3):
            with_["reminders"] = ["5s"]
    if maker.one_in(2 if "due" in with_ else 4):
        remind: Document = {"after": "1m", "do": "remind"}
        reassign: Document = {"after": "2m", "do": "reassign", "to": "bob"}
        escalate: Document = {"after": "3m", "do": "escalate", "to": {"groups": ["bosses"]}}
        decide: Document = {"after": "4m", "do": "decide", "outcome": with_.get("outcomes", ["completed"])[0]}
        with_["on_timeout"] = [maker.one((remind, reassign, escalate)), maker.one(({"after": "4m", "do": "fail"}, decide))]
