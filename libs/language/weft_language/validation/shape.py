"""Layer 1: the shape. Unknown fields, wrong types, values out of range, in the words of the language."""

from typing import Any, Final

from pydantic import ValidationError

from weft_language.findings import Finding, pointer_of
from weft_language.model import Definition
from weft_language.model.triggers import TRIGGER_KINDS
from weft_language.model.work import WITH_BY_TYPE
from weft_language.validation.fields import known_fields
from weft_language.validation.nearest import choice, nearest

Path = tuple[str | int, ...]

MAX_JUDGED: Final = 400
"""How many of a validator's errors are put into words: a proposal takes time, and no more than half as many are shown."""

_CODES: Final[dict[str, str]] = {
    "missing": "required",
    "unknown_field": "unknown_field",
    "literal_error": "not_allowed",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
    "too_short": "wrong_length",
    "too_long": "wrong_length",
    "string_too_short": "wrong_length",
    "string_too_long": "wrong_length",
    "string_pattern_mismatch": "wrong_format",
    "queue_name": "wrong_format",
    "wrong_format": "wrong_format",
    "unreachable_path": "wrong_format",
    "mail_address": "wrong_format",
    "invalid_duration": "invalid_duration",
    "invalid_time": "invalid_time",
    "invalid_cron": "invalid_cron",
    "unknown_zone": "unknown_zone",
    "too_often": "out_of_range",
    "field_condition": "field_condition",
    "slug_reserved": "slug_reserved",
    "one_of": "one_of",
    "unknown_node_type": "unknown_node_type",
    "union_tag_invalid": "unknown_trigger_kind",
    "union_tag_not_found": "required",
}
_WORDS: Final = (
    ("Input should be", "should be"),
    ("Input should have", "should have"),
    ("valid dictionary or instance of", "object, not something else than"),
    ("valid dictionary", "object"),
    ("valid tuple", "list"),
    ("valid list", "list"),
    ("valid string", "text"),
    ("valid boolean", "boolean, true or false"),
    ("valid number", "number"),
    ("Tuple", "the list"),
    ("Dictionary", "the object"),
    ("String", "the text"),
    (" after validation", ""),
)
_WHOLE: Final = frozenset({"invalid_duration", "invalid_time", "invalid_cron", "unknown_zone", "one_of", "field_condition"})
"""What is said in whole sentences."""
_PATTERN_HINTS: Final[dict[str, str]] = {
    "id": "use letters, digits and _, starting with a letter or _, at most 64",
    "from": "use a node's id",
    "to": "use a node's id",
    "path": "use letters, digits and . _ ~ - between single slashes, such as github/issues; at most 200",
    "slug": "use lower-case letters, digits and single dashes, such as invoice-approval",
    "type": "use a type of the catalog, such as set, or a connector's action, such as http.request",
}


def shape_findings(document: Any) -> list[Finding]:
    """What keeps a plain JSON value from being a definition; empty when it is one (a graph and expressions aside)."""
    if not isinstance(document, dict):
        message = f"a definition is a JSON object, not {_kind(document)}"
        return [Finding("error", "wrong_type", "", message, fix='start with {"format": "weft/v1", "name": ..., "nodes": [...]}')]
    try:
        Definition.model_validate(document)
    except ValidationError as error:
        return _findings(document, error)
    return []


def _findings(document: dict[str, Any], error: ValidationError) -> list[Finding]:
    by_place: dict[Path, list[dict[str, Any]]] = {}
    for item in error.errors(include_url=False, include_input=False)[:MAX_JUDGED]:
        if item["type"] == "default_factory_not_called":
            continue  # The slug could not be made because the name is wrong, which is said on its own.
        by_place.setdefault(_place(document, item["loc"], item["type"]), []).append(dict(item))
    findings: list[Finding] = []
    for place, items in by_place.items():
        findings.append(_finding(document, place, _likeliest(items)))
    # A list whose items are all wrong is not too short as well.
    wrong = [finding.pointer for finding in findings]
    return [
        finding
        for finding in findings
        if finding.code != "wrong_length" or not any(pointer.startswith(finding.pointer + "/") for pointer in wrong)
    ]


def _place(document: Any, location: tuple[int | str, ...], kind: str) -> Path:
    """The path in the document of where a validator stood: without the names of the branches it tried."""
    path: list[int | str] = []
    value = document
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if part == "[key]" or (path[:1] == ["triggers"] and position == 2 and part in TRIGGER_KINDS):
            continue
        name = "with" if part == "with_" else part
        if isinstance(value, dict) and isinstance(name, str) and (name in value or (last and kind == "missing")):
            value = value.get(name)
            path.append(name)
        elif isinstance(value, list) and isinstance(part, int):
            value = value[part] if part < len(value) else None
            path.append(part)
    if kind == "unknown_node_type":
        path[-1:] = ["type"] if path and path[-1] == "with" else [*path[-1:], "type"]
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        path.append("on")
    return tuple(path)


def _likeliest(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Of what the branches of a union said, the one that fitted best: a wrong value tells more than a wrong type."""
    telling = sorted((item for item in items if item["type"] in _CODES), key=lambda item: item["type"] == "literal_error")
    if telling or len(items) == 1:
        return (telling or items)[0]
    together = " or ".join(dict.fromkeys(_said(item["msg"]).removeprefix("should be ") for item in items))
    return {**items[0], "msg": f"should be {together}"}


def _finding(document: dict[str, Any], place: Path, item: dict[str, Any]) -> Finding:
    pointer, node = pointer_of(*place), _node_at(document, place)
    kind, name = item["type"], str(place[-1]) if place else ""
    if kind == "unknown_field":
        return _unknown_field(document, place, node)
    if kind == "unknown_node_type":
        return _unknown_choice(document, place, node, "node type", list(WITH_BY_TYPE), "unknown_node_type")
    if kind == "union_tag_invalid":
        return _unknown_choice(document, place, node, "trigger", list(TRIGGER_KINDS), "unknown_trigger_kind")
    if kind in ("missing", "union_tag_not_found"):
        patch = ({"op": "add", "path": pointer, "value": "weft/v1"},) if place == ("format",) else None
        fix = 'add "format": "weft/v1"' if patch else f"add `{name}`"
        return Finding("error", "required", pointer, f"`{name}` is required", node, fix, patch)
    if kind == "slug_reserved":
        message = f"the slug `{_at(document, place)}` is reserved for an address of the API"
        return Finding("error", kind, pointer, message, node, f"choose another, such as {_at(document, place)}-workflow")
    if kind == "literal_error":
        return _not_allowed(document, place, node, str(item["ctx"]["expected"]))
    code = _CODES.get(kind, "wrong_type")
    detail = _said(item["msg"])
    if kind == "model_type":
        detail = f"should be an object, not {_kind(_at(document, place))}"
    message = detail if kind in _WHOLE else f"`{name}` {detail}"
    return Finding("error", code, pointer, message, node, _PATTERN_HINTS.get(name) if code == "wrong_format" else None)


def _said(message: str) -> str:
    for word, ours in _WORDS:
        message = message.replace(word, ours)
    return message[:1].lower() + message[1:]


def _unknown_field(document: Any, place: Path, node: str | None) -> Finding:
    pointer, name = pointer_of(*place), str(place[-1])
    known = known_fields(document, place[:-1])
    owner = _at(document, place[:-1])
    free = [field for field in known if not (isinstance(owner, dict) and field in owner)]
    meant = nearest(name, free)
    inner = WITH_BY_TYPE.get(owner.get("type", "")) if isinstance(owner, dict) and isinstance(owner.get("type"), str) else None
    inner_fields = {field.alias or key for key, field in inner.model_fields.items()} if inner else set()
    fix: str | None
    patch: tuple[dict[str, Any], ...] | None = None
    if name in inner_fields:
        fix = f"move `{name}` into `with`"
        if isinstance(owner.get("with"), dict):
            patch = ({"op": "move", "from": pointer, "path": pointer_of(*place[:-1], "with", name)},)
    elif meant is not None:
        fix = f"did you mean `{meant}`?"
        patch = ({"op": "move", "from": pointer, "path": pointer_of(*place[:-1], meant)},)
    else:
        fix = f"remove it, or name it x-{name} to keep it" + (f"; the fields here are {choice(known, 20)}" if known else "")
    return Finding("error", "unknown_field", pointer, f"`{name}` is not a field here", node, fix, patch)


def _unknown_choice(document: Any, place: Path, node: str | None, what: str, known: list[str], code: str) -> Finding:
    value = _at(document, place)
    meant = nearest(str(value), known)
    fix = f"did you mean `{meant}`?" if meant else f"use {choice(known, 30)}"
    patch = ({"op": "replace", "path": pointer_of(*place), "value": meant},) if meant else None
    return Finding("error", code, pointer_of(*place), f"`{str(value)[:80]}` is not a {what} of this language", node, fix, patch)


def _not_allowed(document: Any, place: Path, node: str | None, expected: str) -> Finding:
    known = [part.strip().strip("'") for part in expected.replace(" or ", ", ").split(",")]
    value = _at(document, place)
    meant = nearest(value, known) if isinstance(value, str) else None
    patch = ({"op": "replace", "path": pointer_of(*place), "value": meant},) if meant else None
    fix = f"did you mean `{meant}`?" if meant else f"use {choice(known)}"
    message = f"`{place[-1] if place else ''}` should be {choice(known)}, not {str(value)[:60]!r}"
    return Finding("error", "not_allowed", pointer_of(*place), message, node, fix, patch)


def _at(document: Any, place: Path) -> Any:
    value = document
    for part in place:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _node_at(document: Any, place: Path) -> str | None:
    """The id of the innermost node a path leads into."""
    found: str | None = None
    value = document
    for position, part in enumerate(place):
        value = _at(value, (part,))
        if isinstance(part, int) and position and place[position - 1] == "nodes" and isinstance(value, dict):
            found = value["id"] if isinstance(value.get("id"), str) else None
    return found


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null" if value is None else "something else")
