"""A list of tasks as a graph: where each leads, and what `.` is in it.

In Serverless Workflow a task reads what the task before it gave; here nodes are read by name. So it is worked out which tasks may have run
last before each one: of several the newest that has run is read, `default(step.b.output, default(step.a.output, input))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

from weft_language.serverless.notes import below
from weft_language.serverless.terms import View
from weft_language.serverless.values import Values

Node = dict[str, Any]
BEFORE: Final = -1
"""Stands for what was there before the first task of a list."""
NEXT, EXIT, END = "continue", "exit", "end"
MOST_SOURCES: Final = 30
"""Tasks that may have run last before another one: what reads them is one expression."""


@dataclass(slots=True)
class Made:
    """What became of one task.

    nodes: run one after the other.  ways: how the last of them ends, and where that leads: outcome and directive.
    beside, edges: nodes that are reached by edges of their own, and those.
    """

    nodes: list[Node]
    ways: list[tuple[str, str]]
    beside: list[Node] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Task:
    """A task of a list. gives: CEL of what it will give, None where `.` passes through."""

    name: str
    body: Mapping[str, Any]
    at: str
    id: str
    gives: str | None
    leads_to: list[int] = field(default_factory=list)
    reached_by: set[int] = field(default_factory=set)
    beside: dict[str, str] = field(default_factory=dict)

    def beside_it(self, word: str, values: Values) -> str:
        """The id of a node beside this task's own: the same at each call."""
        if word not in self.beside:
            self.beside[word] = values.id_of(f"{self.id}_{word}")
        return self.beside[word]


Maker = Callable[[Task, View], Made]
Result = Callable[[View], Node | None]
"""The node that ends a list, given what is seen there; None where none is needed."""


def tasks_of(listed: Any, at: str, values: Values, gives: Callable[[Task], str | None]) -> list[Task]:
    """The tasks of a list, with where each leads and whose output may be `.` in it."""
    found: list[Task] = []
    places: dict[str, int] = {}
    for place, entry in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(entry, dict) or len(entry) != 1 or not isinstance(next(iter(entry.values())), dict):
            values.notes.lost(below(at, place), "a task is an object with one name and what is done", "write `- name: {...}`")
            continue
        name, body = next(iter(entry.items()))
        task = Task(name, body, below(at, place, name), values.id_of(name), None)
        task.gives = gives(task)
        places.setdefault(name, len(found))
        found.append(task)
    if not found:
        values.notes.lost(at, "a list of tasks is empty", "give it a task")
        found.append(Task("nothing", {"set": {"nothing": None}}, at, values.id_of("nothing"), None))
    for place, task in enumerate(found):
        targets = [_target(then, place, places, len(found)) for then in _directives(task)]
        task.leads_to = [len(found) if target is None else target for target in targets]
        if None in targets:
            values.notes.lost(task.at, "it leads to what is no task of the same list", "name one of them, or continue, exit or end")
    _reach(found, values)
    return found


def _directives(task: Task) -> Iterator[str]:
    """Where a task may lead, as it is written."""
    then = task.body.get("then", NEXT)
    listed = task.body.get("switch")
    cases = [case for entry in (listed if isinstance(listed, list) else ()) if isinstance(entry, dict) for case in entry.values()]
    cases = [case for case in cases if isinstance(case, dict) and isinstance(case.get("then"), str)]
    if "raise" not in task.body and all("when" in case for case in cases):
        yield then if isinstance(then, str) else NEXT
    if "if" in task.body:
        yield NEXT
    yield from (case["then"] for case in cases)


def _target(then: str, place: int, places: Mapping[str, int], end: int) -> int | None:
    """The place of the task that a directive leads to; `end` for the end of the list, None where there is no such task."""
    if then == NEXT:
        return place + 1
    return end if then in (EXIT, END) else places.get(then)


def _reach(tasks: list[Task], values: Values) -> None:
    """Work out whose output may be `.` in each task: sets only grow, so it ends."""
    for first in tasks[:1]:
        first.reached_by.add(BEFORE)
    waiting = [0] if tasks else []
    while waiting:
        place = waiting.pop()
        task = tasks[place]
        given = {place} if task.gives is not None else set()
        given |= task.reached_by if task.gives is None or "if" in task.body else set()
        for target in task.leads_to:
            if target < len(tasks) and not given <= tasks[target].reached_by:
                merged = tasks[target].reached_by | given
                if len(merged) > MOST_SOURCES:
                    values.notes.lost(
                        tasks[target].at, f"more than {MOST_SOURCES} tasks may have run last before it", "export what it reads"
                    )
                    continue
                tasks[target].reached_by = merged
                waiting.append(target)


def order_of(tasks: list[Task]) -> tuple[dict[int, int], bool]:
    """The places of tasks by when they run, and whether some run again."""
    order: dict[int, int] = {}
    open_: set[int] = set()
    again = False
    stack: list[tuple[int, Iterator[int]]] = []
    if tasks:
        stack.append((0, iter(tasks[0].leads_to)))
        open_.add(0)
    while stack:
        place, targets = stack[-1]
        target = next((one for one in targets if one < len(tasks) and one not in order), None)
        if target is None:
            stack.pop()
            open_.discard(place)
            order[place] = -len(order)
        elif target in open_:
            again = True
        else:
            open_.add(target)
            stack.append((target, iter(tasks[target].leads_to)))
    return order, again


@dataclass(slots=True)
class Scope:
    """A list of tasks that is being made into a graph. before: CEL of what was there before it.  top: it is the whole workflow's."""

    tasks: list[Task]
    before: View
    values: Values
    at: str
    top: bool = False
    nodes: list[Node] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Note where each task stands; of several with one name the first."""
        self.places = {task.name: place for place, task in reversed(list(enumerate(self.tasks)))}

    def build(self, make: Maker, result: Result) -> dict[str, Any]:
        """The graph. make: what becomes of a task."""
        order, again = order_of(self.tasks)
        if again and any(len(task.reached_by) > 1 for task in self.tasks):
            self.values.notes.changed(self.at, "tasks run again: what they read of several is of the one that stands last in the list")
        made = [make(task, self.before.at(self._dot(task.reached_by, order))) for task in self.tasks]
        ending = result(self.before.at(self._dot(self._given_at_the_end(), order)))
        for place, one in enumerate(made):
            self._wire(place, one, made, None if ending is None else ending["id"], order)
        if ending is not None and any(edge["to"] == ending["id"] for edge in self.edges):
            self.nodes.append(ending)
        return {"nodes": self.nodes, "edges": self.edges} if len(self.nodes) > 1 else {"nodes": self.nodes}

    @property
    def ends_with_its_value(self) -> bool:
        """Whether what the list gives is what its last node gives, whatever way it went."""
        last = self.tasks[-1] if self.tasks else None
        plain = last is not None and last.gives is not None and last.gives.endswith(".output") and "export" not in last.body
        return plain and self._given_at_the_end() == {len(self.tasks) - 1}

    def _given_at_the_end(self) -> set[int]:
        given: set[int] = set()
        for place, task in enumerate(self.tasks):
            if len(self.tasks) in task.leads_to:
                given |= {place} if task.gives is not None else set()
                given |= task.reached_by if task.gives is None or "if" in task.body else set()
        return given

    def _dot(self, given: set[int], order: Mapping[int, int]) -> str:
        """CEL of what `.` is where any of these may have run last."""
        newest_first = sorted(given - {BEFORE}, key=lambda place: order.get(place, 1), reverse=True)
        texts = [self.tasks[place].gives or "" for place in newest_first]
        texts += [self.before.dot] if BEFORE in given or not given else ["null"] if len(texts) > 1 else []
        return reduce(lambda other, text: f"default({text}, {other})", reversed(texts))

    def _wire(self, place: int, one: Made, made: list[Made], ending: str | None, order: Mapping[int, int]) -> None:
        self.nodes += [*one.nodes, *one.beside]
        self.edges += one.edges
        for source, target in zip(one.nodes, one.nodes[1:], strict=False):
            self.edges.append({"from": source["id"], "to": target["id"], **({"on": "true"} if source["type"] == "if" else {})})
        if "if" in self.tasks[place].body:
            self._edge(one.nodes[0]["id"], "false", self._lead(NEXT, place, made, ending, order))
        for outcome, then in one.ways:
            self._edge(one.nodes[-1]["id"], outcome, self._lead(then, place, made, ending, order))

    def _edge(self, source: str, outcome: str, to: str | None) -> None:
        if to is not None:
            self.edges.append({"from": source, "to": to, "on": outcome})

    def _lead(self, then: str, place: int, made: list[Made], ending: str | None, order: Mapping[int, int]) -> str | None:
        """The node that a directive leads to, None for the end of the list."""
        task = self.tasks[place]
        if then != END or self.top:
            target = _target(then, place, self.places, len(made))
            return made[target].nodes[0]["id"] if target is not None and target < len(made) else ending
        given = {place} if task.gives is not None else task.reached_by
        made_before = "end" in task.beside
        end = task.beside_it("end", self.values)
        if not made_before:
            self.nodes.append({"id": end, "type": "end", "with": {"output": "{{ " + self._dot(given, order) + " }}"}})
        return end
