"""Random sequences in nested scopes: what has certainly run is read without a word, what comes later never."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from weft_language import validate

from tests.language.build import document, node

STEP_CODES = {"step_never_before", "step_may_not_have_run", "output_of_failed_step", "output_may_be_missing", "error_may_be_missing"}
MANY = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@dataclass
class Program:
    """A document in the making. readers: each `set` that reads, with the ids that come after it in its own sequence."""

    draw: Any
    count: int = 0
    readers: list[tuple[dict[str, Any], list[str]]] = field(default_factory=list)

    def fresh(self, kind: str) -> str:
        self.count += 1
        return f"{kind}_{self.count}"

    def sequence(self, known: list[str], depth: int) -> tuple[list[dict[str, Any]], list[str]]:
        """Nodes in listed order that may read `known` and what ran before them, and the ids that have run when they are done."""
        nodes: list[dict[str, Any]] = []
        ran = list(known)
        waiting: list[tuple[dict[str, Any], int]] = []
        for _ in range(self.draw(st.integers(1, 3))):
            kinds = ["value", "value", *(["group", "parallel", "foreach", "loop"] if depth < 3 else [])]
            kind = self.draw(st.sampled_from(kinds))
            made, inner = self._node(kind, ran, depth)
            if ran:
                reader = node(self.fresh("read"), "set", x=f"{{{{ step.{self.draw(st.sampled_from(ran))}.output }}}}")
                waiting.append((reader, len(nodes)))
                nodes.append(reader)
            nodes.append(made)
            ran += [*inner, made["id"]]
        self.readers += [(reader, [later["id"] for later in nodes[place + 1 :]]) for reader, place in waiting]
        return nodes, ran[len(known) :]

    def _node(self, kind: str, known: list[str], depth: int) -> tuple[dict[str, Any], list[str]]:
        made = self.fresh(kind)
        if kind == "value":
            return node(made, "transform", expression="1"), []
        if kind == "group":
            nodes, ran = self.sequence(known, depth + 1)
            return node(made, "group", nodes=nodes), ran
        if kind == "parallel":
            branches = {name: self.sequence(known, depth + 1) for name in ("left", "right")}
            graphs = {name: {"nodes": nodes} for name, (nodes, _) in branches.items()}
            return node(made, "parallel", branches=graphs), [one for _, ran in branches.values() for one in ran]
        nodes, ran = self.sequence(known, depth + 1)
        if kind == "foreach":
            return node(made, "foreach", items="{{ input.rows }}", body={"nodes": nodes}), []
        last = ran[-1]
        return node(made, "loop", until=f"step.{last}.status != 'x' && iteration > 2", body={"nodes": nodes}), ran


@MANY
@given(st.data())
def test_what_has_run_on_every_way_is_read_without_a_word(data: st.DataObject) -> None:
    nodes, _ = Program(data.draw).sequence([], 0)
    found = validate(document(*nodes))
    assert [finding for finding in found if finding.severity == "error" or finding.code in STEP_CODES] == []


@MANY
@given(st.data())
def test_what_comes_later_in_the_same_scope_has_never_run(data: st.DataObject) -> None:
    program = Program(data.draw)
    nodes, _ = program.sequence([], 0)
    readers = [(reader, later) for reader, later in program.readers if later]
    if not readers:
        return
    reader, later = data.draw(st.sampled_from(readers))
    reader["with"]["x"] = f"{{{{ step.{data.draw(st.sampled_from(later))}.output }}}}"
    found = [finding for finding in validate(document(*nodes)) if finding.severity == "error"]
    assert [(finding.code, finding.node) for finding in found] == [("step_never_before", reader["id"])]
