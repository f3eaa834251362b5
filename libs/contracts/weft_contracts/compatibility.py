"""Whether a changed JSON Schema breaks those who wrote or read by the old one. Pure: two schemas in, a list of sentences out.

The rule is one-sided on purpose: what fitted the old schema must fit the new one, and no field a reader may rely on goes away. Widening
(an optional field more, a looser bound, an enum value more) breaks nobody, since readers ship one release before writers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Schema = Mapping[str, Any]

_TYPES = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_CHOICES = ("anyOf", "oneOf")
_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly"})
_STRUCTURE = frozenset(
    {"$ref", "type", "enum", "const", "properties", "required", "additionalProperties", "items", *_LOWER, *_UPPER, *_CHOICES}
)


def breaking_changes(old_schema: Schema, new_schema: Schema) -> list[str]:
    """What in `new_schema` breaks who wrote or read by `old_schema`, each as "where: what"; empty when nothing does.

    Both: JSON Schema 2020-12 in the keywords pydantic writes, with `$ref` into their own `$defs` only. A constraint this function does not
    know counts as breaking when it is new or has changed, so an answer of nothing can be trusted.
    """
    return sorted(set(_compare(old_schema, new_schema, _Pair(old_schema, new_schema))))


@dataclass(frozen=True, slots=True)
class _Pair:
    """Where the comparison is: both documents, the path of fields, and the pairs of parts being compared (schemas may recurse)."""

    old: Schema
    new: Schema
    path: str = ""
    entered: frozenset[tuple[int | str, int | str]] = frozenset()

    def at(self, step: str) -> _Pair:
        return replace(self, path=f"{self.path}.{step}" if self.path else step)

    def says(self, what: str) -> str:
        return f"{self.path or 'the word'}: {what}"


def _compare(old: Any, new: Any, pair: _Pair) -> Iterator[str]:
    if old is False:
        return
    if new is False:
        yield pair.says("accepts nothing any more")
        return
    old, new = ({} if schema is True else schema for schema in (old, new))
    if not old and not new:
        return
    here = (old.get("$ref", id(old)), new.get("$ref", id(new)))
    if here in pair.entered:
        return
    pair = replace(pair, entered=pair.entered | {here})
    old_branches, new_branches = _branches(old, pair.old, strict=False), _branches(new, pair.new, strict=True)
    if len(old_branches) == len(new_branches) == 1:
        yield from _compare_one(old_branches[0], new_branches[0], pair)
        return
    for branch in old_branches:
        if not any(_fits(branch, candidate, pair) for candidate in new_branches):
            yield from _least(branch, new_branches, pair)


def _resolved(schema: Schema, document: Schema) -> Schema:
    """The schema with its `$ref` replaced by what it names; keywords beside the reference stay."""
    while "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        schema = {**document["$defs"][name], **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _branches(schema: Schema, document: Schema, *, strict: bool) -> Sequence[Schema]:
    """The alternatives of a schema, each with the keywords that stand beside `anyOf` or `oneOf`.

    strict: leave out an alternative that says otherwise than what stands beside it, as the new side must; the old side may seem wider.
    """
    schema = _resolved(schema, document)
    for keyword in _CHOICES:
        if keyword in schema:
            beside = {key: value for key, value in schema.items() if key != keyword and key not in _ANNOTATIONS}
            branches = [_resolved({} if branch is True else branch, document) for branch in schema[keyword] if branch is not False]
            agreeing = [
                branch for branch in branches if not strict or all(_same(branch.get(key, beside[key]), beside[key]) for key in beside)
            ]
            return [choice for branch in agreeing for choice in _branches({**beside, **branch}, document, strict=strict)]
    return [schema]


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are one. Python takes `true` for 1; that 1 and 1.0 differ here only makes the answer stricter."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _fits(old: Schema, new: Schema, pair: _Pair) -> bool:
    return next(_compare_one(old, new, pair), None) is None


def _least(old: Schema, candidates: Sequence[Schema], pair: _Pair) -> list[str]:
    """What is said when an alternative fits nowhere: the shortest account among the new alternatives of its type."""
    same_type = [candidate for candidate in candidates if _types(old) & _types(candidate)]
    if not same_type:
        return [pair.says(f"{_brief(old)} is not accepted any more")]
    return min((list(_compare_one(old, candidate, pair)) for candidate in same_type), key=len)


def _brief(schema: Schema) -> str:
    return "/".join(sorted(_types(schema))) if _types(schema) != _TYPES else "any value"


def _types(schema: Schema) -> frozenset[str]:
    """The JSON types a schema accepts."""
    values = _values(schema)
    return _named_types(schema) if values is None else frozenset(_type_of(value) for value in values)


def _named_types(schema: Schema) -> frozenset[str]:
    """The JSON types a schema names, all of them where it names none. An integer is a number."""
    named = schema.get("type", sorted(_TYPES))
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def _type_of(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return kinds[type(value)]


def _values(schema: Schema) -> list[Any] | None:
    """The only values a schema accepts by `enum` or `const`, those of its type; None when it names none."""
    if "const" not in schema and "enum" not in schema:
        return None
    named = [schema["const"]] if "const" in schema else schema["enum"]
    return [value for value in named if _type_of(value) in _named_types(schema)]


def _compare_one(old: Schema, new: Schema, pair: _Pair) -> Iterator[str]:
    if gone := _types(old) - _types(new):
        yield pair.says(f"type narrowed, {'/'.join(sorted(gone))} is not accepted any more")
        return
    yield from _compare_values(old, new, pair)
    yield from _compare_bounds(old, new, pair)
    yield from _compare_fields(old, new, pair)
    yield from _compare_items(old, new, pair)
    for keyword in sorted(new.keys() - _STRUCTURE - _ANNOTATIONS):
        if (keyword not in old or not _same(old[keyword], new[keyword])) and _values(old) is None:
            yield pair.says(f"{keyword} is now {new[keyword]!r}")


def _compare_values(old: Schema, new: Schema, pair: _Pair) -> Iterator[str]:
    before, after = _values(old), _values(new)
    rules = new.keys() - _ANNOTATIONS - {"type"}
    if before is not None and rules - ({"enum"} if "enum" in rules else {"const"}) and not _same(_rules(old), _rules(new)):
        yield pair.says("named values came under a further rule")
    if after is None:
        return
    if before is None:
        yield pair.says(f"only {after!r} is accepted now")
        return
    allowed = [(_type_of(value), value) for value in after]
    for value in before:
        if (_type_of(value), value) not in allowed:
            yield pair.says(f"value {value!r} is not accepted any more")


def _rules(schema: Schema) -> dict[str, Any]:
    return {keyword: value for keyword, value in schema.items() if keyword not in _ANNOTATIONS}


def _compare_bounds(old: Schema, new: Schema, pair: _Pair) -> Iterator[str]:
    if _values(old) is not None:
        return
    for keywords, tighter in ((_LOWER, 1), (_UPPER, -1)):
        for keyword in keywords:
            if keyword in new and (keyword not in old or (new[keyword] - old[keyword]) * tighter > 0):
                yield pair.says(f"{keyword} tightened from {old.get(keyword, 'none')} to {new[keyword]}")


def _compare_fields(old: Schema, new: Schema, pair: _Pair) -> Iterator[str]:
    if "object" not in _types(old):
        return
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name in sorted(old_fields.keys() - new_fields.keys()):
        yield pair.at(name).says("field removed")
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield pair.at(name).says("field made required" if name in old_fields else "new field is required")
    for name in sorted(old_fields.keys() & new_fields.keys()):
        before, after = old_fields[name], new_fields[name]
        yield from _compare(before, after, pair.at(name))
        if "default" in before and not _same(before["default"], after.get("default", before["default"])):
            yield pair.at(name).says(f"default changed from {before['default']!r} to {after['default']!r}")
    more_before, more_after = old.get("additionalProperties", True), new.get("additionalProperties", True)
    if isinstance(more_before, Mapping):  # a map: its writers may have used any name
        for name in sorted(new_fields.keys() - old_fields.keys()):
            yield from _compare(more_before, new_fields[name], pair.at(name))
    yield from _compare(more_before, more_after, pair.at("*"))


def _compare_items(old: Schema, new: Schema, pair: _Pair) -> Iterator[str]:
    if "array" in _types(old):
        yield from _compare(old.get("items", True), new.get("items", True), pair.at("[]"))
