"""A way on which a node has not run: what makes a warning about it believable."""

from typing import Final

from weft_language.validation.flow import Flow, Moment, done_of, entry_of, ids_inside, outcome_of
from weft_language.validation.outline import Outline, OutlineNode

MAX_STEPS: Final = 400_000
"""How many moments all searches of one validation may visit together, about half a second. Beyond it no way is named."""
_SEARCH: Final = 20
"""What beginning a search costs of the budget."""
_SHOWN: Final = 8


class MissingWays:
    """Finds shortest ways from the start to a moment on which a node has not ended since its scope was entered."""

    def __init__(self, document: Outline, flow: Flow) -> None:
        """The searches share one budget of `MAX_STEPS`."""
        self._flow = flow
        self._left = MAX_STEPS
        self._nodes = {node.pointer: node for node in document.all_nodes}
        self._joins: dict[Moment, list[tuple[Moment, int]]] = {}
        for node in document.all_nodes:
            join = outcome_of(node, "done")
            if flow.needs.get(join) == len(node.graphs):
                self._joins[join] = [(done_of(graph), flow.bits(ids_inside(graph))) for graph in node.graphs]
        self._found: dict[tuple[Moment, str], str | None] = {}

    def way(self, moment: Moment, node_id: str) -> str | None:
        """Such a way in words, "`a` → `b` (true) → `c`", or None where none was found within the budget."""
        key = (moment, node_id)
        if key not in self._found:
            self._found[key] = self._search(moment, node_id)
        return self._found[key]

    def _search(self, goal: Moment, node_id: str) -> str | None:
        flow = self._flow
        bit = flow.bits([node_id])
        owners = self._owners(bit)
        begin, end = (flow.start, False), (goal, False)
        before: dict[tuple[Moment, bool], tuple[Moment, bool] | None] = {begin: None}
        waiting = [begin]
        self._left -= _SEARCH
        for place in waiting:
            if place == end:
                return self._words(before, end)
            moment, ended = place
            self._left -= 1
            if self._left < 0:
                return None
            ended = ended or bool(flow.ends.get(moment, 0) & bit)
            for target in flow.ways.get(moment, ()):
                if not flow.reached(target) or (target in owners and moment not in owners[target]):
                    continue
                following = (target, ended and not flow.fresh.get((moment, target), 0) & bit)
                if following not in before:
                    before[following] = place
                    waiting.append(following)
        return None

    def _owners(self, bit: int) -> dict[Moment, set[Moment]]:
        """Joins of all branches around a node: only the way through its own branch tells whether it has run."""
        found: dict[Moment, set[Moment]] = {}
        for join, branches in self._joins.items():
            holding = {done for done, bits in branches if bits & bit}
            if holding:
                found[join] = holding
        return found

    def _words(self, before: dict[tuple[Moment, bool], tuple[Moment, bool] | None], end: tuple[Moment, bool]) -> str:
        moments: list[Moment] = []
        place: tuple[Moment, bool] | None = end
        while place is not None:
            moments.append(place[0])
            place = before[place]
        steps: list[str] = []
        for moment in reversed(moments):
            node = self._nodes.get(moment[1])
            if node is None or moment[0] == "again":
                continue
            if moment == entry_of(node):
                steps.append(f"`{node.id}`")
            elif moment[0] == "out" and moment[2] not in ("done", "*") and not self._said(steps, node, moment[2]):
                steps.append(f"`{node.id}` ({moment[2]})")
        if len(steps) > _SHOWN:
            steps = [*steps[: _SHOWN // 2], "…", *steps[-_SHOWN // 2 :]]
        return " → ".join(steps)

    @staticmethod
    def _said(steps: list[str], node: OutlineNode, outcome: str) -> bool:
        """Whether the outcome could be written behind the node's own mention, which stands last."""
        if steps and steps[-1] == f"`{node.id}`":
            steps[-1] += f" ({outcome})"
            return True
        return False
