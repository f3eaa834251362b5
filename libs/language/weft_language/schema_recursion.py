"""How often a JSON Schema can apply to one value: references may recurse, but must not multiply.

`a: allOf [b, b]`, `b: allOf [c, c]`, ... doubles the work with each line; a schema that refers to itself twice in place
doubles it with each level of the value. Both are refused when saved, so no check takes longer than its size explains.
"""

from collections.abc import Iterator
from typing import Any

from weft_language.findings import pointer_of

MAX_EXPANSION = 20_000
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLES = ("not", "if", "then", "else")
_CHILD_MAPS = ("properties",)
_OVERLAPPING_MAPS = ("patternProperties", "dependentSchemas")
_REST = ("items", "additionalProperties", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems")

Path = tuple[str, ...]


def _resolve(root: dict[str, Any], reference: str) -> tuple[Path, Any] | None:
    """The place a `#/...` reference means; None for anchors and what does not exist (compiling says so)."""
    if reference in ("#", "#/"):
        return (), root
    if not reference.startswith("#/"):
        return None
    value: Any = root
    path: list[str] = []
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
        path.append(name)
    return tuple(path), value


def _parts(root: dict[str, Any], path: Path, schema: Any) -> Iterator[tuple[Path, Any, str]]:
    """The subschemas of one schema: (path, schema, slot). Those in one slot are applied to different values."""
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref", schema.get("$dynamicRef"))
    if isinstance(reference, str) and (target := _resolve(root, reference)) is not None:
        yield (*target, "here")
    for word in _LISTS:
        for place, part in enumerate(_list(schema.get(word))):
            yield (*path, word, str(place)), part, "here"
    for word in _SINGLES:
        if word in schema:
            yield (*path, word), schema[word], "here"
    for words, slot in ((_OVERLAPPING_MAPS, "here"), (_CHILD_MAPS, "member")):
        for word in words:
            for name, part in _map(schema.get(word)).items():
                yield (*path, word, name), part, slot
    yield from _children(path, schema)


def _children(path: Path, schema: dict[str, Any]) -> Iterator[tuple[Path, Any, str]]:
    """The subschemas for items and for members without a name."""
    for place, part in enumerate(_list(schema.get("prefixItems"))):
        yield (*path, "prefixItems", str(place)), part, "item"
    for word in _REST:
        if isinstance(schema.get(word), dict):
            yield (*path, word), schema[word], "item" if word in ("items", "contains", "unevaluatedItems") else "member"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def recursion_fault(root: dict[str, Any]) -> tuple[str, str] | None:
    """(pointer, message) of the first place where work multiplies without bound; None when there is none."""
    sizes: dict[Path, int] = {}
    open_paths: list[Path] = []
    on_path: set[Path] = set()
    looping: dict[Path, int] = {}
    stack: list[tuple[Path, Any, list[tuple[Path, Any, str]]]] = []

    def enter(path: Path, schema: Any) -> None:
        open_paths.append(path)
        on_path.add(path)
        sizes[path] = 1
        stack.append((path, schema, list(_parts(root, path, schema))))

    enter((), root)
    while stack:
        path, _schema, parts = stack[-1]
        if parts:
            part_path, part, _slot = parts.pop()
            if part_path in on_path:
                looping[part_path] = looping.get(part_path, 0) + 1
                if looping[part_path] > 1 and _multiplies(root, part_path):
                    return pointer_of(*part_path), "the schema applies itself more than once to the same value"
            elif part_path in sizes:
                sizes[path] += sizes[part_path]
            else:
                enter(part_path, part)
            continue
        stack.pop()
        on_path.discard(path)
        if stack:
            sizes[stack[-1][0]] += sizes[path]
        if sizes[path] > MAX_EXPANSION:
            return pointer_of(*path), f"the schema's references expand to more than {MAX_EXPANSION} checks"
    return None


def width(root: dict[str, Any] | bool) -> int:
    """How many subschemas apply to one value at most, counted again for each way that leads to them; at most `MAX_EXPANSION`.

    root: a schema without `recursion_fault`.
    """
    widths: dict[Path, int] = {}
    open_: list[tuple[Path, Any, bool]] = [((), root, False)]
    seen: set[Path] = set()
    while open_:
        path, schema, parts_known = open_.pop()
        parts = list(_parts(root, path, schema)) if isinstance(root, dict) else []
        if parts_known:
            # A schema that leads back to itself is met on the way and counts as one there: it applies to smaller values.
            widths[path] = min(MAX_EXPANSION, 1 + sum(widths.get(part, 1) for part, _, slot in parts if slot == "here"))
        elif path not in seen:
            seen.add(path)
            open_.append((path, schema, True))
            open_.extend((part_path, part, False) for part_path, part, _ in parts)
    return max(widths.values())


def _multiplies(root: dict[str, Any], start: Path) -> bool:
    """Whether some schema on the way back to `start` branches towards it in place, so that both ways see one value."""
    schema = _at(root, start)
    reaching = _reaching(root, start, schema)
    for path, part in reaching.items():
        ways = [slot for target, _, slot in _parts(root, path, part) if target in reaching]
        if len(ways) > 1 and ("here" in ways or (len(set(ways)) < len(ways) and _overlaps(part))):
            return True
    return False


def _overlaps(schema: Any) -> bool:
    return isinstance(schema, dict) and any(word in schema for word in _OVERLAPPING_MAPS)


def _at(root: dict[str, Any], path: Path) -> Any:
    found = _resolve(root, "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path))
    return found[1] if found else True


def _reaching(root: dict[str, Any], start: Path, schema: Any) -> dict[Path, Any]:
    """The schemas on a cycle through `start`: reachable from it and leading back to it."""
    forward: dict[Path, Any] = {start: schema}
    back: dict[Path, set[Path]] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        for target, part, _slot in _parts(root, path, forward[path]):
            back.setdefault(target, set()).add(path)
            if target not in forward:
                forward[target] = part
                waiting.append(target)
    cycle = {start}
    waiting = [start]
    while waiting:
        for source in back.get(waiting.pop(), ()):
            if source not in cycle:
                cycle.add(source)
                waiting.append(source)
    return {path: forward[path] for path in cycle}
