"""Documents made to take time are judged in little of it."""

from typing import Any

import pytest
from weft_language import validate

from tests.language.build import document, edge, node
from tests.support.effort import computing_at_most

SET = node("a", "set", x=1)

HOSTILE: dict[str, dict[str, Any]] = {
    "unknown fields": document(SET) | {f"f{place}xxxxx": 1 for place in range(50_000)},
    "unknown fields in nodes": document(*({"id": f"n{place}", "type": "set", "tmout": 1} for place in range(15_000))),
    "too many nodes": document(*(node(f"n{place}", "if", when="x") for place in range(15_000))),
    "too many edges": document(SET, edges=[edge(f"b{place}", "zz") for place in range(30_000)]),
    "one id for all": document(*(node("same", "set", x=1) for _ in range(15_000))),
    "edges that lead nowhere": document(
        *(node(f"node_number_{place}", "if", when="input.x") for place in range(1000)),
        edges=[edge(f"node_numbr_{place}", f"nod_number{place}") for place in range(5000)],
    ),
    "one knot": document(
        *(node(f"n{place}", "if", when="input.x") for place in range(1000)),
        edges=[
            edge(f"n{place % 1000}", f"n{place * 7 % 1000}", ("true", "false", "error", "done", "true")[place // 1000])
            for place in range(5000)
        ],
    ),
    "unknown steps": document(
        *(node(f"n{place}", "set", **{f"v{n}": f"{{{{ step.m{place}_{n}.output }}}}" for n in range(20)}) for place in range(900))
    ),
    "long expressions": document(SET, output={f"o{place}": "{{ " + "||".join(["input.a"] * 400) + " }}" for place in range(300)}),
    "a template that never ends": document(SET, output={"a": "{{ a" * 100_000}),
    "templates that end too early": document(SET, output={"a": "{{ a( }} }} }} " * 30_000}),
    "one outcome a thousand times": document(node("t", "task", outcomes=["x"] * 100_000)),
    "a large schema": document(SET, input={"properties": {f"p{place}": {"type": "objct"} for place in range(20_000)}}),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_document_is_refused_in_bounded_time(name: str) -> None:
    with computing_at_most(10):
        findings = validate(HOSTILE[name])
        assert any(finding.severity == "error" for finding in findings)
        assert len(findings) <= 200


def _fork(count: int) -> dict[str, Any]:
    """Many nodes that each read twenty steps which may not have run."""
    nodes = [node("fork", "if", when="input.x"), *(node(f"t{place}", "transform", expression="1") for place in range(count))]
    nodes += [
        node(f"r{place}", "set", **{f"v{n}": f"{{{{ step.t{(place + n) % count}.output }}}}" for n in range(20)}) for place in range(count)
    ]
    way = [edge("fork", "t0", "true"), edge("fork", "r0", "false"), edge(f"t{count - 1}", "r0")]
    for name in ("t", "r"):
        way += [edge(f"{name}{place}", f"{name}{place + 1}") for place in range(count - 1)]
    return document(*nodes, edges=way)


def _nested_schema(depth: int) -> dict[str, Any]:
    if depth == 0:
        return {"type": "string"}
    return {"type": "object", "properties": {f"p{n}": _nested_schema(depth - 1) for n in range(9)}, "additionalProperties": False}


HEAVY: dict[str, dict[str, Any]] = {
    "steps that may not have run": _fork(450),
    "constants": document(
        SET, output={f"o{place}": "{{ " + " + ".join([f"size('{'x' * 20}')"] * 40) + " + size(lists.range(1)) }}" for place in range(200)}
    ),
    "conditions that never change": document(
        *(
            node(f"n{place}", "switch", cases=[{"when": f"{n} > 3 && 'a' == 'b'", "outcome": f"o{n}"} for n in range(20)])
            for place in range(900)
        )
    ),
    "a chain of transforms": document(
        node("t0", "transform", expression="1"),
        *(node(f"t{place}", "transform", expression=f"step.t{place - 1}.output + 1") for place in range(1, 990)),
        node("last", "transform", expression="step.t989.output.startsWith('x')"),
    ),
    "transforms that read themselves": document(
        *(
            node(f"t{place}", "transform", map={f"m{n}": f"{{{{ step.t{place * 7 % 300}.output.m{n} }}}}" for n in range(20)})
            for place in range(300)
        )
    ),
    "one variable set everywhere": document(
        *(
            node(f"s{place}", "set", v={f"k{place}_{n}": {f"m{m}": m for m in range(20)} for n in range(20)}, w="{{ vars.v.k0_0.m1 }}")
            for place in range(300)
        ),
        vars={"v": {}, "w": 1},
    ),
    "a wide schema": document(
        *(node(f"s{place}", "set", v="{{ input.p1.p2.p3.zz }}") for place in range(900)), input={**_nested_schema(3), "type": "object"}
    ),
    "a schema of choices": document(
        node("s", "set", v="{{ input.a.b }}"),
        input={"type": "object", "properties": {"a": {"anyOf": [{"anyOf": [_nested_schema(1)] * 20}] * 20}}},
    ),
    "branches upon branches": document(
        *(
            node(
                f"p{place}",
                "parallel",
                branches={
                    f"b{n}": {"nodes": [node(f"i{place}_{n}", "set", v=f"{{{{ step.i{place}_{(n + 1) % 90}.output }}}}")]}
                    for n in range(90)
                },
            )
            for place in range(10)
        )
    ),
    "deep expressions": document(
        *(node(f"t{place}", "transform", expression="(" * 90 + f"step.t{(place + 1) % 100}.output" + " + 1)" * 90) for place in range(100))
    ),
}


@pytest.mark.parametrize("name", sorted(HEAVY))
def test_a_document_made_to_be_thought_about_is_judged_in_bounded_time(name: str) -> None:
    with computing_at_most(10):
        assert len(validate(HEAVY[name])) <= 200
