"""Google's own CEL runtime says the same: random expressions, typed so that most have a value, evaluated by both.

Left out on purpose: an int and a double in one calculation (they promote here), an int beside the double nearest to it (compared on the
number line here, as doubles there: 9223372036854775807 is not double(9223372036854775807)), what is finer than a microsecond, `null in map`
(false here, an error there), `substring` to the very end of a text (0.1.3 refuses it against its own documentation), and numbers
read from a text with white space around them (0.1.3 takes them; the specification does not say so, and we refuse).
"""

import math
import re
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_math, ext_strings
from hypothesis import assume, given, note
from hypothesis import strategies as st
from weft_language.expressions import ExpressionError, compile_expression
from weft_language.expressions.values import BoolKey, CelType, Uint

from tests.support.examples import many

_VARIABLES = {"i": 7, "j": -3, "x": 2.5, "s": "hällo", "t": "", "yes": True, "none": None}
_LISTS = {"l": [3, 1, 2], "m": {"a": 1, "b": [1, 2], "c": "z"}, "texts": ["b", "a", "ab"]}
NAMES: dict[str, Any] = {**_VARIABLES, **_LISTS}
ENVIRONMENT = cel.NewEnv(
    variables=dict.fromkeys([*NAMES, "v", "w"], cel.Type.DYN),
    extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
)

PADDED = re.compile(r"`(\s.*|.*\s)` is not ", re.S)
Source = st.SearchStrategy[str]
EXACT = st.sampled_from(["i", "j", "v", "l[0]", "size(s)", "0", "-1", "9007199254740992", "(2147483647 * 3)"])
"""Whole numbers that are doubles, too."""
INT_EDGES = st.sampled_from([0, 1, -1, 2, 10, 2**31, 2**53, 2**63 - 1, -(2**63) + 1])


def _join(pattern: str, *parts: Source) -> Source:
    return st.tuples(*parts).map(lambda given: pattern.format(*given))


def _pick(*texts: str) -> Source:
    return st.sampled_from(texts)


def _ints(depth: int) -> Source:
    leaves = st.one_of(INT_EDGES.map(str), st.integers(-20, 20).map(str), _pick("i", "j", "l[0]", "m.a", "v", "m.missing"))
    if depth == 0:
        return leaves
    inner = _ints(depth - 1)
    return st.one_of(
        leaves,
        _join("({} {} {})", inner, _pick("+", "-", "*", "/", "%"), inner),
        _join("-({})", inner),
        _join("size({})", _texts(depth - 1)),
        _join("{}.size()", _lists(depth - 1)),
        _join("({} ? {} : {})", _bools(depth - 1), inner, inner),
        _join("{}[{}]", _lists(depth - 1), inner),
        _join("{}.indexOf({})", _texts(depth - 1), _texts(depth - 1)),
        _join("{}.lastIndexOf({})", _texts(depth - 1), _texts(depth - 1)),
        _join("math.greatest({}, {})", inner, inner),
        _join("math.{}({})", _pick("abs", "sign"), inner),
        _join("int({})", _doubles(depth - 1)),
        _join("int({})", _texts(depth - 1)),
    )


def _doubles(depth: int) -> Source:
    leaves = st.one_of(st.floats(-1e6, 1e6, width=32).map(lambda number: f"{number!r}"), _pick("x", "0.0", "-0.0", "1e300"))
    if depth == 0:
        return leaves
    inner = _doubles(depth - 1)
    return st.one_of(
        leaves,
        _join("({} {} {})", inner, _pick("+", "-", "*", "/"), inner),
        _join("double({})", EXACT),
        _join("math.{}({})", _pick("ceil", "floor", "round", "trunc", "abs", "sign"), inner),
    )


def _texts(depth: int) -> Source:
    leaves = st.one_of(st.text("abcäz😀 0.1", max_size=4).map(repr), _pick("s", "t", "m.c", "texts[1]", "'12'", "'true'"))
    if depth == 0:
        return leaves
    inner = _texts(depth - 1)
    return st.one_of(
        leaves,
        _join("({} + {})", inner, inner),
        _join("{}.{}()", inner, _pick("trim", "lowerAscii", "upperAscii", "reverse")),
        _join("{}.charAt({})", inner, _ints(depth - 1)),
        _join("{}.substring({})", inner, _ints(depth - 1)),
        _join("{}.replace({}, {})", inner, inner, inner),
        _join("texts.join({})", inner),
        _join("string({})", _ints(depth - 1)),
        _join("string({})", _bools(depth - 1)),
    )


def _bools(depth: int) -> Source:
    leaves = _pick("true", "false", "yes", "has(m.a)", "has(m.q)", "none == null")
    if depth == 0:
        return leaves
    anything = st.one_of(_ints(depth - 1), _doubles(depth - 1), _texts(depth - 1), _lists(depth - 1), _bools(depth - 1), _pick("null"))
    inner = _bools(depth - 1)
    numbers = _ints(depth - 1) | _doubles(depth - 1)
    return st.one_of(
        leaves,
        _join("({} {} {})", anything, _pick("==", "!="), anything),
        _join("({} {} {})", numbers, _pick("<", "<=", ">", ">="), numbers),
        _join("({} {} {})", _texts(depth - 1), _pick("<", "<=", ">", ">="), _texts(depth - 1)),
        _join("({} {} {})", inner, _pick("&&", "||"), inner),
        _join("!{}", inner),
        _join("({} in {})", anything, _lists(depth - 1)),
        _join("({} in m)", _texts(depth - 1) | _ints(depth - 1)),
        _join("{}.{}({})", _texts(depth - 1), _pick("contains", "startsWith", "endsWith"), _texts(depth - 1)),
        _join("{}.{}(v, {})", _lists(depth - 1), _pick("all", "exists", "exists_one"), inner),
    )


def _lists(depth: int) -> Source:
    leaves = _pick("l", "m.b", "[]", "[1, 'x', true]")
    if depth == 0:
        return leaves
    inner = _lists(depth - 1)
    return st.one_of(
        leaves,
        _join("[{}, {}]", _ints(depth - 1), _texts(depth - 1)),
        _join("({} + {})", inner, inner),
        _join("{}.map(v, {})", inner, _ints(depth - 1)),
        _join("{}.filter(v, {})", inner, _bools(depth - 1)),
        _join("{}.split({})", _texts(depth - 1), _texts(depth - 1)),
    )


def plain(value: Any) -> Any:
    """Our value in the shape in which the other runtime gives its own."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key.value if isinstance(key, BoolKey) else key: plain(item) for key, item in value.items()}
    if isinstance(value, CelType):
        return value.name
    return int(value) if isinstance(value, Uint) else value


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and bool(a == b)


@given(st.one_of(_ints(2), _doubles(2), _texts(2), _bools(2), _lists(2)))
@many(1200)
def test_both_runtimes_give_the_same_value_or_both_refuse(text: str) -> None:
    theirs = ENVIRONMENT.compile(text, disable_check=True).eval(data=NAMES)
    note(f"{text} gives {theirs.plain_value()!r}")
    try:
        ours = compile_expression(text).evaluate(NAMES)
    except ExpressionError as error:
        assume(not PADDED.match(error.message))
        assert theirs.type() == cel.Type.ERROR, f"we refuse: {error}"
    else:
        assert same(plain(ours), theirs.plain_value()), f"we give {ours!r}"
