"""A definition as SVG: no script, no link, no font or style from elsewhere; readable by those who hear it, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from weft_language.diagram.boxes import GRAPH_HEAD, LINE, PADDING, Box, Line, picture

_MARGIN: Final = 12.0
_FAMILIES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("if", "switch"), "choice"),
    **dict.fromkeys(("group", "parallel", "foreach", "loop"), "holder"),
    **dict.fromkeys(("wait", "state"), "rest"),
    "task": "person",
    **dict.fromkeys(("end", "fail", "compensate"), "ending"),
    **dict.fromkeys(("set", "transform"), "data"),
}
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1b1f24}.d{font-size:11px;fill:#57606a}.l{font-size:11px}"
    ".n{fill:#fff;stroke:#57606a;stroke-width:1.2}.choice{fill:#fff8e1}.holder{fill:#f6f8fa}.rest{fill:#eef4ff}.person{fill:#e8f5e9}"
    ".ending{fill:#fdecea}.data{fill:#f5f0ff}.scope{fill:none;stroke:#8c959f;stroke-dasharray:5 4}"
    ".e{fill:none;stroke:#57606a;stroke-width:1.3}.f{stroke:#b3261e}.b{fill:#fff;fill-opacity:.85}.start,.a{fill:#57606a}.x{fill:#b3261e}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.d{fill:#9198a1}.n{fill:#161b22;stroke:#9198a1}.choice{fill:#3a3216}"
    ".holder{fill:#0d1117}.rest{fill:#12233f}.person{fill:#12301a}.ending{fill:#3d1a18}.data{fill:#241a3d}.e{stroke:#9198a1}"
    ".f{stroke:#ff7b72}.b{fill:#0d1117}.start,.a{fill:#9198a1}.x{fill:#ff7b72}}"
)


def svg(document: Mapping[str, Any]) -> str:
    """The picture of a valid definition, a whole SVG document."""
    shown = picture(document)
    width, height = shown.scope.width + 2 * _MARGIN, shown.scope.height + 2 * _MARGIN
    shown.scope.moved(_MARGIN, _MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" height="{_n(height)}"'
        ' role="img" aria-labelledby="weft-title weft-desc">',
        f'<title id="weft-title">{_text(shown.title)}</title><desc id="weft-desc">{_text(shown.summary)}</desc><style>{_STYLE}</style>',
        '<defs><marker id="weft-a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path class="a" d="M0 0 8 4 0 8z"/></marker><marker id="weft-x" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
        ' markerHeight="8" orient="auto"><path class="x" d="M0 0 8 4 0 8z"/></marker></defs>',
        *_inside(shown.scope),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _inside(scope: Box) -> Iterator[str]:
    """What stands in a scope: its nodes first, so that lines and their labels are seen."""
    for box in scope.inner:
        yield from _box(box)
    for line in scope.lines:
        yield _line(line)
    for line in scope.lines:
        yield from _label(line)


def _box(box: Box) -> Iterator[str]:
    if box.kind == "start":
        radius = box.width / 2
        yield f'<circle class="start" cx="{_n(box.x + radius)}" cy="{_n(box.y + radius)}" r="{_n(radius)}"/>'
        return
    if box.kind == "scope":
        yield f'<g><rect class="scope" x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="6"/>'
        if box.name:
            yield f'<text class="d" x="{_n(box.x + PADDING)}" y="{_n(box.y + GRAPH_HEAD - 4)}">{_text(box.name)}</text>'
        yield from _inside(box)
        yield "</g>"
        return
    place = f'x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}"'
    middle = _n(box.x + box.width / 2)
    yield f'<g><title>{_text(f"{box.name} ({box.detail})")}</title><rect class="n {_FAMILIES.get(box.kind, "work")}" {place} rx="6"/>'
    yield f'<text x="{middle}" y="{_n(box.y + LINE + 4)}" text-anchor="middle">{_text(box.name)}</text>'
    yield f'<text class="d" x="{middle}" y="{_n(box.y + 2 * LINE + 2)}" text-anchor="middle">{_text(box.detail)}</text>'
    for scope in box.inner:
        yield from _box(scope)
    yield "</g>"


def _line(line: Line) -> str:
    way = " ".join(f"{_n(x)},{_n(y)}" for x, y in line.points)
    mark, failing = ("weft-x", " f") if line.failing else ("weft-a", "")
    return f'<polyline class="e{failing}" points="{way}" marker-end="url(#{mark})"/>'


def _label(line: Line) -> Iterator[str]:
    if not line.label:
        return
    (x, y), wide = line.label_at, line.label_width
    yield f'<rect class="b" x="{_n(x - wide / 2)}" y="{_n(y - 8)}" width="{_n(wide)}" height="15" rx="3"/>'
    yield f'<text class="l" x="{_n(x)}" y="{_n(y + 3.5)}" text-anchor="middle">{_text(line.label)}</text>'


def _text(text: str) -> str:
    return escape(text, quote=True)


def _n(number: float) -> str:
    """A length, with one digit at most."""
    return f"{number:.1f}".removesuffix(".0")
