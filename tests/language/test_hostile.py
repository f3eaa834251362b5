"""Documents made to take time are judged in little of it."""

import time
from typing import Any

import pytest
from weft_language import validate

from tests.language.build import document, edge, node

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
    started = time.process_time()
    findings = validate(HOSTILE[name])
    assert any(finding.severity == "error" for finding in findings)
    assert len(findings) <= 200
    assert time.process_time() - started < 10
