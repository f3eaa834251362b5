"""YAML text, read as the JSON it stands for: built from parse events, without recursion, aliases or tags."""

import math
import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from weft_language.plain import MAX_DEPTH
from weft_language.reading.errors import UnreadableDocument

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT: Final = re.compile(r"[-+]?[0-9]{1,4000}", re.ASCII)
_OTHER_INT: Final = re.compile(r"0(?:o[0-7]{1,400}|x[0-9A-Fa-f]{1,400})", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STRUCTURE: Final = frozenset({"!!map", "!!seq", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:str"})
_MISSING: Final = object()


@dataclass(slots=True)
class _Open:
    """A collection being filled; `key` is the member name read last and still without a value."""

    value: Any
    key: Any = field(default=_MISSING)


def read_yaml(text: str) -> Any:
    """The value of a YAML text with one document. Raises: UnreadableDocument."""
    root: list[Any] = []
    stack: list[_Open] = [_Open(root)]
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            _take(event, stack)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        raise UnreadableDocument("not_yaml", f"not YAML: {error.problem or error.context}", *place) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UnreadableDocument("not_yaml", "not YAML: a character that cannot stand in it") from error
    if len(root) > 1:
        raise UnreadableDocument("several_documents", "the text holds several YAML documents; send one")
    return root[0] if root else None


def _take(event: Any, stack: list[_Open]) -> None:
    if isinstance(event, yaml.AliasEvent):
        raise _refused("yaml_alias", "aliases (*name) are not read; write the value out", event)
    tag = getattr(event, "tag", None)
    if tag is not None and tag != "!" and tag not in _STRUCTURE:
        raise _refused("yaml_tag", f"the tag {tag} is not read; write a plain value", event)
    if isinstance(event, yaml.ScalarEvent):
        _add(stack[-1], _scalar(event), event)
    elif isinstance(event, yaml.CollectionStartEvent):
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        _add(stack[-1], value, event)
        stack.append(_Open(value))
        if len(stack) > MAX_DEPTH + 2:
            raise _refused("too_deep", f"the document is nested deeper than {MAX_DEPTH} levels", event)
    elif isinstance(event, yaml.CollectionEndEvent):
        stack.pop()


def _add(parent: _Open, value: Any, event: Any) -> None:
    if isinstance(parent.value, list):
        parent.value.append(value)
    elif parent.key is _MISSING:
        if isinstance(value, dict | list):
            raise _refused("bad_key", "a member's name must be a text", event)
        name = event.value
        if name in parent.value:
            raise _refused("duplicate_key", f"the member {name[:80]!r} is given twice in one map", event)
        if name == "<<" and event.implicit[0]:
            raise _refused("yaml_merge", "merge keys (<<) are not read; write the members out", event)
        parent.key = name
    else:
        parent.value[parent.key] = value
        parent.key = _MISSING


def _scalar(event: Any) -> Any:
    """The value of a scalar by YAML 1.2's core schema: only plain ones are anything but text."""
    text: str = event.value
    if not event.implicit[0] or event.style not in (None, ""):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _OTHER_INT.fullmatch(text):
        return int(text, 0)
    if _NOT_FINITE.fullmatch(text):
        raise _refused("not_finite", f"{text} is not a JSON number", event)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise _refused("not_finite", f"the number {text[:40]} is too large", event)
        return value
    return text


def _refused(code: str, message: str, event: Any) -> UnreadableDocument:
    mark = event.start_mark
    return UnreadableDocument(code, message, mark.line + 1, mark.column + 1)
