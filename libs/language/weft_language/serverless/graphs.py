"""Graphs of a definition as lists of tasks: which task each node is, and how its edges lead on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from weft_language.expressions import compile_conditions
from weft_language.serverless.equals import Task, equal_of
from weft_language.serverless.notes import Notes, below
from weft_language.serverless.phrases import iso
from weft_language.serverless.terms import quoted

PROPAGATING: Final = ("error", "timeout")
EXIT: Final = "exit"
CONTINUE: Final = "continue"
_CHOOSING: Final = ("if", "switch")
_AROUND: Final = ("compensate", "enhance", "position", "description", "name")


@dataclass(slots=True)
class Graphs:
    """Writes the graphs of one definition. slug: of the workflow.  used: names of tasks in use."""

    notes: Notes
    slug: str
    used: set[str] = field(default_factory=set)

    def tasks(self, graph: Mapping[str, Any], at: str) -> list[Task]:
        """The list of tasks that does what a graph does. at: the pointer of the graph."""
        nodes = list(enumerate(graph["nodes"]))
        start = graph.get("start")
        nodes.sort(key=lambda one: one[1]["id"] != start)
        ids = [node["id"] for _, node in nodes]
        implied = [{"from": source, "to": to} for source, to in pairwise(ids)]
        edges = graph["edges"] if graph.get("edges") else implied
        made: list[Task] = []
        for position, (place, node) in enumerate(nodes):
            leaving = [edge for edge in edges if edge["from"] == node["id"]]
            following = ids[position + 1] if position + 1 < len(ids) else None
            made += self._node(node, leaving, following, below(at, "nodes", place))
        return made

    def _node(self, node: Mapping[str, Any], leaving: Sequence[Mapping[str, Any]], following: str | None, at: str) -> list[Task]:
        self._around(node, at)
        id_, kind = node["id"], node["type"]
        if kind in _CHOOSING:
            if any(edge.get("on") in PROPAGATING for edge in leaving):
                self.notes.changed(at, "a condition that fails has no way of its own")
            return [{id_: {"switch": self._chosen(node, leaving)}}]
        own = equal_of(node, self.tasks, self.notes, at, self.slug)
        body = own[id_]
        if "timeout" in node:
            body["timeout"] = {"after": iso(node["timeout"])}
        caught = [edge for edge in leaving if edge.get("on") in PROPAGATING]
        if caught or "retry" in node:
            body = {"try": [{self._fresh(f"{id_}_work"): body}], "catch": self._catch(node, bool(caught))}
        if node["type"] == "state" and any("when" in edge for edge in leaving):
            self.notes.lost(at, "a guard refuses what arrives, and the execution stays; there it goes on", "ask after it, and lead back")
            leaving = [{**edge, **({"when": _of_signal(edge["when"], id_)} if "when" in edge else {})} for edge in leaving]
        if not caught and all(edge.get("on", "done") == "done" and "when" not in edge for edge in leaving[:1]):
            to = leaving[0]["to"] if leaving else None
            if "then" not in body and (to != following or to is None) and not (to is None and following is None):
                body["then"] = to or EXIT
            return [{id_: body}]
        return [{id_: body}, {self._fresh(f"{id_}_next"): {"switch": self._routed(id_, leaving)}}]

    def _around(self, node: Mapping[str, Any], at: str) -> None:
        for name in _AROUND:
            if name in node:
                if name in ("compensate", "enhance"):
                    self.notes.changed(below(at, name), f"`{name}` has no equal", "see to it where the document is run")
                else:
                    self.notes.dropped(at, name)

    def _catch(self, node: Mapping[str, Any], caught: bool) -> dict[str, Any]:
        made: dict[str, Any] = {"as": "error"}
        retry = node.get("retry")
        if retry is not None:
            factor = retry.get("factor", 2)
            made["retry"] = {
                "delay": iso(retry.get("delay", "1s")),
                "backoff": {"constant": {}} if factor == 1 else {"exponential": {}},
                "limit": {"attempt": {"count": max(retry.get("attempts", 5) - 1, 0)}},
            }
        if not caught:
            error = f"step.{node['id']}.error"
            raised = {"type": "weft://errors/failed", "status": 500, "title": f"${{ {error}.code }}", "detail": f"${{ {error}.message }}"}
            made["do"] = [{self._fresh(f"{node['id']}_failed"): {"raise": {"error": raised}}}]
        return made

    def _chosen(self, node: Mapping[str, Any], leaving: Sequence[Mapping[str, Any]]) -> list[Task]:
        """The cases of an `if` or `switch`: its conditions, each with those of the edges on its outcome."""
        with_ = node["with"]
        if node["type"] == "if":
            condition = with_["when"] if "when" in with_ else compile_conditions(with_["conditions"]).text
            asked: list[tuple[str | None, str]] = [(condition, "true"), (None, "false")]
        else:
            asked = [(case["when"], case["outcome"]) for case in with_["cases"]] + [(None, with_.get("default", "done"))]
        cases: list[Task] = []
        for condition, outcome in asked:
            for edge in _on(leaving, outcome):
                cases.append(_case(cases, [condition, edge.get("when")], edge["to"]))
            if not _surely(_on(leaving, outcome)):
                cases.append(_case(cases, [condition], EXIT))
        return cases

    def _routed(self, id_: str, leaving: Sequence[Mapping[str, Any]]) -> list[Task]:
        """The cases that lead on from a node by how it ended."""
        cases: list[Task] = []
        named = dict.fromkeys(edge.get("on", "done") for edge in leaving)
        for outcome in [*(name for name in named if name != "done"), "done"]:
            condition = None if outcome == "done" else f"step.{id_}.outcome == {quoted(outcome)}"
            for edge in _on(leaving, outcome):
                cases.append(_case(cases, [condition, edge.get("when")], edge["to"]))
            if not _surely(_on(leaving, outcome)):
                cases.append(_case(cases, [condition], EXIT))
        return cases

    def _fresh(self, name: str) -> str:
        while name in self.used:
            name += "_"
        self.used.add(name)
        return name


def _of_signal(guard: str, id_: str) -> str:
    """A guard that reads what arrived by the node's output."""
    return re.sub(r"(?<![\w.])signal\b(?!\.user)", f"step.{id_}.output", guard)


def _on(leaving: Sequence[Mapping[str, Any]], outcome: str) -> list[Mapping[str, Any]]:
    """The edges that serve an outcome: its own, else those on `done`, which serve every one but an error."""
    own = [edge for edge in leaving if edge.get("on", "done") == outcome]
    return own or ([edge for edge in leaving if edge.get("on", "done") == "done"] if outcome not in PROPAGATING else [])


def _surely(edges: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these edges is taken for certain."""
    return any("when" not in edge for edge in edges)


def _case(before: Sequence[Task], conditions: Sequence[str | None], to: str) -> Task:
    given = [one for one in conditions if one is not None]
    when = " && ".join(f"({one})" for one in given) if len(given) > 1 else "".join(given)
    return {f"case_{len(before) + 1}": {**({"when": "${ " + when + " }"} if when else {}), "then": to}}
