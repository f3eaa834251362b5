"""What `step.<id>` reads: whether that node has run by then on every way, and whether it ended so that there is something to read."""

from collections.abc import Iterator
from typing import Final

from weft_language.findings import Finding
from weft_language.validation.flow import Flow, Moment, needed_branches
from weft_language.validation.flow.missing import MissingWays
from weft_language.validation.names import STEP_MEMBERS
from weft_language.validation.nearest import choice, nearest
from weft_language.validation.outline import Outline, OutlineGraph, OutlineNode
from weft_language.validation.reads import Path
from weft_language.validation.sites import Site

_WHILE_OPEN: Final = ("status", "attempts", "started_at")
"""What a step has from its beginning on; everything else it has once it has ended."""


class StepReader:
    """Checks reads of steps, one after the other."""

    def __init__(self, document: Outline, flow: Flow) -> None:
        """flow: of the same document."""
        self._document = document
        self._flow = flow
        self._missing = MissingWays(document, flow)
        self._places = {node.pointer: node for node in document.all_nodes}
        self._graphs = {graph.pointer: graph for graph in document.graphs}

    def read(self, site: Site, path: Path, *, optional: bool, sure: bool) -> Iterator[Finding]:
        """What is wrong with reading a path that begins with `step.<id>`.

        optional: the author took care of its absence.  sure: it is read whenever the expression is evaluated.
        """
        node = self._document.nodes.get(path[1])
        if node is None:
            yield _unknown_step(site, path[1], list(self._document.nodes))
            return
        member = path[2] if len(path) > 2 else None
        if member is not None and member not in STEP_MEMBERS:
            yield unknown_member(site, path[:3], STEP_MEMBERS, hint=f"step.{node.id}.output.{member}")
            return
        if optional or site.moment is None or not self._flow.reached(site.moment):
            return
        if (member is None or member in _WHILE_OPEN) and self._is_open(node, site.moment):
            return
        ran = self._flow.has_run(site.moment, [node.id])
        if ran == "never":
            yield self._never(site, site.moment, path, node, sure=sure)
            return
        # The condition of a loop is first read before its body has run: what it reads behind `iteration == 1 ||` is thought of.
        if ran == "sometimes" and (sure or site.moment[0] != "again"):
            yield self._sometimes(site, site.moment, path, node)
        yield from self._ending(site, site.moment, path, member, sure=sure and ran == "always")
        if node.type == "parallel" and member == "output" and len(path) > 3:
            yield from _branch(site, path, node)
        if self._is_newest_only(node, site.moment):
            owner = _frame(node.graph).parent
            message = f"`{node.id}` runs once for each item of `{owner.id if owner else ''}`; here only its newest run is read"
            fix = f"read the list of results: step.{owner.id if owner else ''}.output"
            yield Finding("info", "reads_newest_iteration", site.pointer, message, site.node, fix)

    def _never(self, site: Site, moment: Moment, path: Path, node: OutlineNode, *, sure: bool) -> Finding:
        shown = _shown(path)
        message = f"`{shown}` is read where `{node.id}` cannot have run"
        frame = _frame(node.graph)
        if frame.parent is not None and frame.parent.type in ("foreach", "loop") and frame in self._around(moment):
            message += " in the same iteration"
        fix = f"read it after `{node.id}`, or write default({shown}, null)"
        return Finding("error" if sure else "warning", "step_never_before", site.pointer, message, site.node, fix)

    def _sometimes(self, site: Site, moment: Moment, path: Path, node: OutlineNode) -> Finding:
        shown = _shown(path)
        message = f"`{shown}` is read where `{node.id}` has not run on every way"
        way = self._missing.way(moment, node.id)
        if way:
            message += f": not on {way}"
        fix = f"write default({shown}, null), or test has({shown}) first"
        return Finding("warning", "step_may_not_have_run", site.pointer, message, site.node, fix)

    def _ending(self, site: Site, moment: Moment, path: Path, member: str | None, *, sure: bool) -> Iterator[Finding]:
        """Reads of an output that a failed node has not, and of an error that there is not."""
        step, shown = path[1], _shown(path)
        good, failed = self._flow.may_have_ended(moment, step)
        if member == "output" and failed:
            deep = len(path) > 3
            fix = f"read step.{step}.error here, or write default({shown}, null)"
            if not good:
                message = f"`{shown}` is read where `{step}` has ended with `error`, so it has no output"
                yield Finding("error" if deep and sure else "warning", "output_of_failed_step", site.pointer, message, site.node, fix)
            else:
                message = f"`{shown}` is read where `{step}` may have ended with `error`, and then has no output"
                yield Finding("warning" if deep else "info", "output_may_be_missing", site.pointer, message, site.node, fix)
        elif member == "error" and good:
            fix = f"read it on the `error` edge of `{step}`, or test has(step.{step}.error) first"
            if not failed:
                message = f"`{shown}` is read where `{step}` has not failed, so there is no error"
            else:
                message = f"`{shown}` is read where `{step}` may not have failed, and then there is no error"
            yield Finding("warning", "error_may_be_missing", site.pointer, message, site.node, fix)

    def _is_open(self, node: OutlineNode, moment: Moment) -> bool:
        """Whether a node is being visited at a moment: the moment is its entry, or lies within it."""
        place = self._places.get(moment[1])
        return place is node or any(graph.parent is node for graph in self._around(moment))

    def _around(self, moment: Moment) -> Iterator[OutlineGraph]:
        """The graphs a moment lies in, innermost first."""
        place = self._places.get(moment[1])
        graph = place.graph if place is not None and moment[0] in ("in", "out", "again") else self._graphs.get(moment[1])
        while graph is not None:
            yield graph
            graph = graph.parent.graph if graph.parent is not None else None

    def _is_newest_only(self, node: OutlineNode, moment: Moment) -> bool:
        """Whether a node runs once per item of a `foreach` that the reader stands outside of."""
        frame = _frame(node.graph)
        return frame.parent is not None and frame.parent.type == "foreach" and frame not in self._around(moment)


def _branch(site: Site, path: Path, node: OutlineNode) -> Iterator[Finding]:
    """A branch's output, where not all branches need complete."""
    if needed_branches(node) < len(node.graphs):
        shown = _shown(path)
        message = f"`{shown}` is read, and `{node.id}` does not wait for all branches: `{path[3]}` may not have completed"
        yield Finding("warning", "output_may_be_missing", site.pointer, message, site.node, f"write default({shown}, null)")


def _frame(graph: OutlineGraph) -> OutlineGraph:
    """The root, branch or body that a graph's visits belong to: a group adds nothing."""
    while graph.role == "group" and graph.parent is not None:
        graph = graph.parent.graph
    return graph


def _shown(path: Path) -> str:
    return ".".join(path)


def _unknown_step(site: Site, step: str, known: list[str]) -> Finding:
    meant = nearest(step, known)
    fix = f"did you mean `step.{meant}`?" if meant else f"the nodes are {choice(known)}"
    return Finding("error", "unknown_step", site.pointer, f"`step.{step}`: no node has the id `{step}`", site.node, fix)


def unknown_member(site: Site, path: Path, known: tuple[str, ...], hint: str | None = None) -> Finding:
    """The finding about a name that has no such member. hint: the path that was probably meant where no member is like it."""
    owner, name = ".".join(path[:-1]), path[-1]
    meant = nearest(name, known)
    fix = f"did you mean `{owner}.{meant}`?" if meant else f"it has {choice(known)}"
    if hint is not None and meant is None:
        fix = f"did you mean `{hint}`? {owner} has {choice(known)}"
    return Finding("error", "unknown_path", site.pointer, f"`{owner}` has no member `{name}`", site.node, fix)
