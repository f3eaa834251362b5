"""Pictures show every node, edge and scope of a definition, the same at each look; what an author wrote is a text in them and no more."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_language.diagram import mermaid, svg
from weft_language.validation.outline import outline

from tests.language.build import document, edge, node
from tests.language.shapes import SHAPES
from tests.language.strategies import definitions
from tests.support.examples import many

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "defs", "marker", "path", "g", "rect", "text", "circle", "polyline"}
EVIL = '"]</text><script>alert(1)</script>\n  end --> x["`%%{init: {}}%%`\u202e\x01 &#x41; onload=x'
HOSTILE = document(
    {**node("a", "if", when="input.x == '</svg>'"), "name": EVIL[:200]},
    {**node("b", "activity", name=EVIL), "description": EVIL},
    node("c", "parallel", branches={"left": {"nodes": [node("d", "set", x=1)]}}),
    edges=[edge("a", "b", "true", label=EVIL, when="'\"]--><script>' == ''"), edge("a", "c", "false")],
    name=EVIL,
    description=EVIL,
)


def parts(text: str) -> ET.Element:
    root = ET.fromstring(text)
    for one in root.iter():
        assert one.tag.removeprefix(SVG) in ALLOWED
        assert not [name for name in one.attrib if name.startswith("on") or "href" in name]
    return root


def texts(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_a_picture_has_each_node_edge_and_scope_and_is_the_same_again(name: str) -> None:
    shape = SHAPES[name]
    drawn = outline(shape)
    root = parts(svg(shape))
    assert svg(shape) == svg(shape)
    assert len(root.findall(f".//{SVG}rect[@class='scope']")) == len(drawn.graphs) - 1
    assert len(root.findall(f".//{SVG}circle")) == len(drawn.graphs)
    edges = [one for graph in drawn.graphs for one in graph.edges]
    assert len(root.findall(f".//{SVG}polyline")) == len(edges) + len(drawn.graphs)
    labels = [one.text or "" for one in root.findall(f".//{SVG}text[@class='l']")]
    assert sorted(label.split(" ")[0].rstrip(":") for label in labels) == sorted(one.on.split(" ")[0] for one in edges)


def test_it_is_told_to_those_who_do_not_see_it() -> None:
    root = parts(svg(SHAPES["saga"] | {"name": "Book a trip"}))
    named = {one.get("id"): one.text for one in root if one.get("id")}
    assert root.get("role") == "img"
    assert (root.get("aria-labelledby") or "").split() == list(named)
    assert named == {"weft-title": "Book a trip", "weft-desc": "A workflow of 6 nodes, begun by: manual."}
    assert "flight (activity: flight)" in [one.text for one in root.iter(f"{SVG}title")]


def boxes(root: ET.Element) -> list[tuple[float, float, float, float]]:
    found = []
    for one in root.findall(f".//{SVG}rect"):
        if (one.get("class") or "").startswith("n "):
            x, y, width, height = (float(one.get(name) or 0) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


@many(90)
@given(definitions())
def test_boxes_lie_within_or_beside_each_other_and_within_the_picture(made: dict[str, Any]) -> None:
    root = parts(svg(made))
    _, _, right, bottom = (float(part) for part in (root.get("viewBox") or "").split())
    found = boxes(root)
    for place, (x, y, to_x, to_y) in enumerate(found):
        assert x >= 0
        assert y >= 0
        assert to_x <= right
        assert to_y <= bottom
        for other_x, other_y, other_to_x, other_to_y in found[place + 1 :]:
            beside = to_x <= other_x or other_to_x <= x or to_y <= other_y or other_to_y <= y
            within = x <= other_x and other_to_x <= to_x and y <= other_y and other_to_y <= to_y
            assert beside or within


def test_what_an_author_wrote_is_a_text_and_no_more() -> None:
    root = parts(svg(HOSTILE))
    assert "script" in " ".join(texts(root))
    assert not re.search("[\x00-\x08\u202e]", svg(HOSTILE))
    flow = mermaid(HOSTILE)
    assert not re.search(r"[<>`%&]", flow.replace("-->", "").replace("-.->", "").replace("<br/>", ""))
    for line in flow.splitlines()[1:]:
        assert re.fullmatch(
            r"  (?:accTitle: |accDescr: )[^\"\[\]{}()<>]*"
            r'| +(?:subgraph )?[ns]\d+(?:g\d+)?(?:(?:\[/?|\{|\(+\[?)"[^"]*"(?:/?\]|\}|\]?\)+))?'
            r'| +[ns]\d+ -\.?-?>(?:\|"[^"]*"\|)? n\d+| +end',
            line,
        ), line


@many(60)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60))
def test_any_name_is_drawn(name: str) -> None:
    made = document({**node("a", "set", x=1), "name": name}, node("b", "end"), name=name)
    root = parts(svg(made))
    assert len(boxes(root)) == 2
    assert mermaid(made).count("\n") == 8


def test_mermaid_has_each_node_edge_and_scope() -> None:
    made = document(
        {**node("check", "if", when="input.n > 3"), "name": "Check it"},
        node(
            "both",
            "parallel",
            branches={"one": {"nodes": [node("a", "task", title="?")]}, "two": {"nodes": [node("b", "wait", for_="1h")]}},
        ),
        node("failed", "fail", code="no"),
        edges=[edge("check", "both", "true"), edge("both", "failed", "error"), edge("check", "failed", "false", label="too small")],
    )
    assert mermaid(made) == (
        "flowchart TD\n"
        "  accTitle: Test\n"
        "  accDescr: A workflow of 5 nodes, begun by: manual.\n"
        '  s0((" "))\n'
        '  n0{"Check it<br/>if"}\n'
        '  subgraph n1["both<br/>parallel"]\n'
        '    subgraph n1g0["one"]\n'
        '      s1((" "))\n'
        '      n3[/"a<br/>task"/]\n'
        "      s1 --> n3\n"
        "    end\n"
        '    subgraph n1g1["two"]\n'
        '      s2((" "))\n'
        '      n4(["b<br/>wait: 1h"])\n'
        "      s2 --> n4\n"
        "    end\n"
        "  end\n"
        '  n2((("failed<br/>fail: no")))\n'
        "  s0 --> n0\n"
        '  n0 -->|"true"| n1\n'
        '  n1 -.->|"error"| n2\n'
        '  n0 -->|"false: too small"| n2\n'
    )


def test_what_leads_back_goes_around_the_boxes() -> None:
    made = document(
        node("ask", "task", title="?", outcomes=["yes", "again"]),
        node("note", "set", x=1),
        edges=[edge("ask", "note", "again"), edge("note", "ask")],
    )
    root = parts(svg(made))
    ways = [[tuple(map(float, point.split(","))) for point in (one.get("points") or "").split()] for one in root.iter(f"{SVG}polyline")]
    around = [way for way in ways if len(way) == 4]
    assert len(around) == 1
    assert around[0][1][0] > max(to_x for _, _, to_x, _ in boxes(root))
    assert around[0][0][1] > around[0][3][1]


def test_labels_of_edges_between_the_same_nodes_stand_apart() -> None:
    made = document(
        node("ask", "task", title="?", outcomes=["yes", "no"]), node("b", "end"), edges=[edge("ask", "b", "yes"), edge("ask", "b", "no")]
    )
    labels = [one for one in parts(svg(made)).iter(f"{SVG}text") if one.get("class") == "l"]
    assert sorted(one.text or "" for one in labels) == ["no", "yes"]
    assert abs(float(labels[0].get("y") or 0) - float(labels[1].get("y") or 0)) >= 15


def test_the_largest_definition_is_drawn() -> None:
    nodes = [node(f"n{place}", "set", x=1) for place in range(1000)]
    edges = [
        edge(f"n{place}", f"n{(place * 7 + step * 13) % 1000}", "error" if step else "done") for place in range(1000) for step in range(5)
    ]
    assert len(boxes(parts(svg(document(*nodes, edges=edges))))) == 1000
