"""What becomes of each task of a Serverless Workflow: what stands around its own work, and the lists in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from weft_language.serverless import composites, tasks
from weft_language.serverless.notes import below
from weft_language.serverless.scopes import Made, Node, Result, Scope, Task, tasks_of
from weft_language.serverless.tasks import member_of
from weft_language.serverless.terms import View, quoted
from weft_language.serverless.values import Values

MAX_NESTING: Final = 18
"""Of lists of tasks: graphs are nested 20 deep at most."""
MAX_IDS: Final = 5000
"""Of nodes and what is beside them: a definition has at most 1,000 nodes, so that no more are made than are named one by one."""
MAX_FUNCTIONS: Final = 5
"""Of functions that call functions."""
KINDS: Final = ("set", "switch", "call", "do", "fork", "for", "try", "wait", "listen", "emit", "raise", "run")
_TASK: Final = frozenset({*KINDS, "with", "catch", "while", "foreach", "if", "input", "output", "export", "timeout", "then", "metadata"})
_PASSING: Final = ("switch", "wait", "raise")
"""Kinds after which `.` is what it was."""
_BY_RESULT: Final = ("fork", "for", "try", "listen")
"""Kinds whose output is worked out by a node beside them."""


@dataclass(slots=True)
class Making:
    """Makes graphs of lists of tasks. use: what the document defines to be referred to by name."""

    values: Values
    use: Mapping[str, Any]
    nesting: int = 0
    functions: list[str] = field(default_factory=list)

    def graph(self, listed: Any, view: View, at: str, result: Result | None = None, *, top: bool = False) -> dict[str, Any]:
        """The graph of a list of tasks. result: for a list in another one that gives what the list gives.  top: it is the workflow's."""
        branch = at.endswith("#")  # a list of one that stands for a branch: its pointer is that of the entry itself
        at = at.removesuffix("#")
        if self.nesting >= MAX_NESTING or len(self.values.taken) > MAX_IDS:
            why = f"tasks are nested over {MAX_NESTING} levels" if self.nesting >= MAX_NESTING else f"it makes more than {MAX_IDS} nodes"
            self.values.notes.lost(at, why, "run another workflow")
            return {"nodes": [{"id": self.values.id_of("left_out"), "type": "transform", "with": {"expression": "null"}}]}
        self.nesting += 1
        found = tasks_of(listed, at, self.values, self.gives)
        for task in found:
            task.at = task.at.replace(f"{at}/0/", f"{at}/", 1) if branch else task.at
        scope = Scope(found, view, self.values, at, top=top)
        made = scope.build(self.made, result or (lambda ending: self._nested_result(scope, ending, at)))
        self.nesting -= 1
        return made

    def _nested_result(self, scope: Scope, view: View, at: str) -> Node | None:
        if scope.ends_with_its_value:
            return None
        name = re.sub(r"\W+", "_", "_".join(at.rsplit("/", 2)[-2:])).strip("_")
        return {"id": self.values.id_of(f"{name}_result"), "type": "transform", "with": {"expression": view.dot}}

    def timeout(self, of: Mapping[str, Any], at: str) -> str | None:
        """The duration of a task's or workflow's `timeout`, None where it has none."""
        if "timeout" not in of:
            return None
        given = of["timeout"]
        given = member_of(self.use, "timeouts").get(given) if isinstance(given, str) else given
        return self.values.duration(given.get("after") if isinstance(given, dict) else None, View("null"), below(at, "timeout"))

    def gives(self, task: Task) -> str | None:
        """CEL of what a task gives, None where `.` stays what it was."""
        if "as" in member_of(task.body, "output"):
            return f"step.{task.beside_it('output', self.values)}.output"
        return self._raw(task)

    def _raw(self, task: Task) -> str | None:
        """The same before `output.as`."""
        kind = self._kind(task)
        if kind in _PASSING:
            return None
        if kind in _BY_RESULT:
            return f"step.{task.beside_it('result', self.values)}.output"
        if kind == "call":
            function = self._function(task)
            return f"step.{task.id}.output" if function is not None else tasks.gives_of_call(task, self.values)
        return f"step.{task.id}.output"

    def made(self, task: Task, view: View) -> Made:
        """What becomes of a task. view: what it sees."""
        body, at, nodes = task.body, task.at, list[Node]()
        for name in body.keys() - _TASK:
            self.values.notes.lost(below(at, name), f"`{name[:80]}` is not known of a task", "leave it out")
        if "if" in body:
            when = self.values.cel(body["if"], view, below(at, "if"))
            nodes.append({"id": task.beside_it("if", self.values), "type": "if", "with": {"when": when}})
        given = member_of(body, "input")
        if "from" in given:
            entered = task.beside_it("input", self.values)
            nodes.append({"id": entered, "type": "transform", "with": self.values.reading(given["from"], view, below(at, "input", "from"))})
            view = view.at(f"step.{entered}.output")
        for word in ("input", "output", "export"):
            if "schema" in member_of(body, word):
                self.values.notes.dropped(below(at, word), "schema", why="of a task is not checked here")
        view = view.knowing(input=view.dot, task={"name": quoted(task.name)})
        made = self._work(task, view)
        main = next(node for node in made.nodes if node["id"] == task.id)
        if task.name != task.id:
            main["name"] = task.name[:255] or task.id
        timeout = self.timeout(body, at)
        if timeout is not None:
            main["timeout"] = timeout
        if "metadata" in body:
            main["x-metadata"] = body["metadata"]
        nodes += made.nodes
        made.nodes = nodes + self._after(task, view)
        return made

    def _after(self, task: Task, view: View) -> list[Node]:
        """The nodes that form and keep what a task gave."""
        body, at, nodes = task.body, task.at, list[Node]()
        raw = self._raw(task) or view.dot
        seen = view.at(raw).knowing(output=raw)
        if "as" in member_of(body, "output"):
            with_ = self.values.reading(body["output"]["as"], seen, below(at, "output", "as"))
            nodes.append({"id": task.beside_it("output", self.values), "type": "transform", "with": with_})
            raw = self.gives(task) or raw
            seen = view.at(raw).knowing(output=raw)
        exported = member_of(body, "export").get("as")
        if isinstance(exported, dict) and exported:
            with_ = self.values.template(exported, seen, below(at, "export", "as"))
            nodes.append({"id": task.beside_it("export", self.values), "type": "set", "with": with_})
        elif exported is not None:
            self.values.notes.lost(
                below(at, "export", "as"), "the context is made of variables here, each by its name", "export an object of names and values"
            )
        if nodes and self._kind(task) in ("switch", "raise"):
            self.values.notes.lost(at, "a task that leads to several has no output of its own", "form it in a task after it")
            return []
        return nodes

    def _kind(self, task: Task) -> str:
        return next((kind for kind in KINDS if kind in task.body and (kind != "do" or not task.body.keys() & {"for", "listen"})), "")

    def _work(self, task: Task, view: View) -> Made:
        """The nodes of a task's own work."""
        kind = self._kind(task)
        if kind in ("set", "switch", "wait", "emit", "run", "listen"):
            simple = {"set": tasks.set_, "switch": tasks.switch, "wait": tasks.wait, "emit": tasks.emit, "run": tasks.run}
            return {**simple, "listen": composites.listen}[kind](task, view, self.values)
        if kind in ("do", "fork", "for"):
            return {"do": composites.do, "fork": composites.fork, "for": composites.for_}[kind](task, view, self.values, self.graph)
        if kind == "try":
            return composites.try_(task, view, self.values, self.graph, member_of(self.use, "retries"))
        if kind == "raise":
            return tasks.raise_(task, view, self.values, member_of(self.use, "errors"))
        if kind == "call":
            function = self._function(task)
            return tasks.call(task, view, self.values) if function is None else self._expanded(task, view, function)
        self.values.notes.lost(task.at, "it does nothing that is known of a Serverless Workflow 1.0", f"give it one of {', '.join(KINDS)}")
        return Made([{"id": task.id, "type": "transform", "with": {"expression": "null"}}], tasks.ways(task))

    def _function(self, task: Task) -> Mapping[str, Any] | None:
        """The function of the document that a task calls, None where it calls no such."""
        name = task.body.get("call")
        found = member_of(self.use, "functions").get(name) if isinstance(name, str) else None
        return found if isinstance(found, dict) and name not in self.functions and len(self.functions) < MAX_FUNCTIONS else None

    def _expanded(self, task: Task, view: View, function: Mapping[str, Any]) -> Made:
        """A call of a function of the document, as a group of what it does with its arguments."""
        name = str(task.body["call"])
        arguments = values_of(task, view, self.values)
        entered = {"id": task.beside_it("arguments", self.values), "type": "transform", "with": {"map": arguments}}
        self.functions.append(name)
        graph = self.graph([{name: function}], view.at(f"step.{entered['id']}.output"), "/use/functions#")
        self.functions.pop()
        first = graph["nodes"][0]["id"]
        edges = [{"from": entered["id"], "to": first}, *graph.get("edges", ())]
        return Made([{"id": task.id, "type": "group", "with": {"nodes": [entered, *graph["nodes"]], "edges": edges}}], tasks.ways(task))


def values_of(task: Task, view: View, values: Values) -> dict[str, Any]:
    """The arguments of a call, as values whose texts may be templates."""
    return dict(values.template(member_of(task.body, "with"), view, below(task.at, "with")))
