"""CEL's conformance tests: read, run, and sorted into what passes and what is left out, with the reason."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from weft_language.expressions import ExpressionError, compile_expression
from weft_language.expressions.values import TYPES, BoolKey, CelType, Uint

from tests.language.expressions import textproto
from tests.language.expressions.textproto import Message

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("WEFT_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "cel"

REASONS = {
    "messages": "builds, reads or names a protobuf message, wrapper, enum or Any: the values of workflows are JSON",
    "nanoseconds": "needs nanoseconds: times have microseconds here, as PostgreSQL's",
    "dotted names": "binds a name that holds a dot, or one beginning with a dot: names in scope are plain",
    "unknown functions": "calls a function that does not exist and wants that found when evaluated: here it is found when compiled",
}


@dataclass(frozen=True)
class Case:
    """One conformance test. bindings: names and their values; None when they cannot be said in JSON and CEL's types."""

    id: str
    expression: str
    bindings: dict[str, Any] | None
    expected: Any
    fails: bool


class NotData(Exception):
    """A value that is a protobuf message, and so nothing this language has."""


@cache
def cases() -> tuple[Case, ...]:
    """Every conformance test, in the order of the files; none where the conformance data is absent."""
    return tuple(case for file in sorted(FOLDER.glob("*.textproto")) for case in _file(file))


def _file(file: Path) -> Iterator[Case]:
    content = textproto.read(file.read_text())
    seen: dict[str, int] = {}
    for section in textproto.every(content, "section"):
        for test in textproto.every(section, "test"):
            name = "/".join((file.stem, _text(section, "name"), _text(test, "name")))
            seen[name] = seen.get(name, 0) + 1
            yield _case(name if seen[name] == 1 else f"{name} ({seen[name]})", test)


def _text(message: Message, name: str) -> str:
    return str(textproto.one(message, name, b"").decode())


def _case(name: str, test: Message) -> Case:
    fails = textproto.one(test, "eval_error") is not None or textproto.one(test, "any_eval_errors") is not None
    try:
        bindings: dict[str, Any] | None = {
            _text(binding, "key"): _value(textproto.one(textproto.one(binding, "value"), "value"))
            for binding in textproto.every(test, "bindings")
        }
        value = textproto.one(test, "value")
        if value is None and (typed := textproto.one(test, "typed_result")):
            value = textproto.one(typed, "result")
        expected = True if value is None else _value(value)
    except NotData:
        bindings, expected = None, None
    return Case(name, _text(test, "expr"), bindings, expected, fails)


def _value(message: Message) -> Any:
    kind, content = message[0]
    match kind:
        case "int64_value":
            return int(content, 0)
        case "uint64_value":
            return Uint(int(content, 0))
        case "double_value":
            return float(content)
        case "bool_value":
            return content == "true"
        case "string_value":
            return content.decode()
        case "bytes_value":
            return content
        case "null_value":
            return None
        case "type_value":
            return TYPES.get(content.decode()) or CelType(content.decode())
        case "list_value":
            return [_value(item) for item in textproto.every(content, "values")]
        case "map_value":
            pairs = textproto.every(content, "entries")
            return {_key(_value(textproto.one(pair, "key"))): _value(textproto.one(pair, "value")) for pair in pairs}
        case "object_value" if content[0][0].endswith("google.protobuf.Duration]"):
            seconds, nanos = (int(textproto.one(content[0][1], name, "0")) for name in ("seconds", "nanos"))
            return timedelta(seconds=seconds, microseconds=nanos // 1000)
        case _:
            raise NotData(kind)


def _key(key: Any) -> Any:
    return BoolKey(key) if isinstance(key, bool) else key


def run(case: Case) -> str:
    """`pass`, or what went otherwise."""
    if case.bindings is None:
        return "its values are protobuf messages"
    try:
        value = compile_expression(case.expression).evaluate(case.bindings)
    except ExpressionError as error:
        return "pass" if case.fails else f"{error.code}: {error.message}"
    if case.fails:
        return f"no error, but {value!r}"
    return "pass" if alike(value, case.expected) else f"{value!r} instead of {case.expected!r}"


def alike(a: Any, b: Any) -> bool:
    """Whether two CEL values are the same, types and all; NaN is the same as NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, CelType):
        return a.name == str(b.name)
    return bool(a == b or (a != a and b != b))


_MESSAGES = re.compile(r"TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|GlobalEnum|NestedEnum|\w+\s*\{\w+\s*:")


def reason(case: Case, outcome: str) -> str | None:
    """Why a test that does not pass is left out; a key of REASONS, or None where there is no good reason."""
    if case.bindings is None or _MESSAGES.search(case.expression):
        return "messages"
    if re.search(r"\.\d{7,9}Z|\dns", case.expression):
        return "nanoseconds"
    if any("." in name for name in case.bindings):
        return "dotted names"
    if "there is no function" in outcome and not case.fails:
        return "unknown functions"
    return None
