"""Random expressions and random names to read, for properties."""

from hypothesis import strategies as st
from weft_language.expressions.functions import GLOBALS, METHODS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcxyz") | st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
NAMES = st.dictionaries(st.sampled_from(["a", "b", "c", "now"]), JSON, max_size=4)

_NUMBERS = [
    "0",
    "1",
    "-1",
    "2u",
    "7",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615u",
    "0.0",
    "1.5",
    "1e300",
    "-1e-300",
]
_TEXTS = [
    "''",
    "'a'",
    "'abc'",
    "'é😀'",
    "b'x'",
    "b'\\xff'",
    "'1h'",
    "'Europe/Rome'",
    "'%Y %s'",
    "'(a+)+$'",
    "'['",
    "'2026-03-29T01:30:00Z'",
]
_OTHERS = ["null", "true", "false", "[]", "{}", "[1, 2.5, 'x']", "{'a': 1}", "{1: 'a', true: 'b'}", "int", "type(1)", "duration('90m')"]
_PATHS = ["a", "b", "c.a", "a.b.c", "c['x'].y", "a[0]", "now", "timestamp('2026-03-29T01:30:00Z')"]
_LITERALS = st.sampled_from([*_NUMBERS, *_TEXTS, *_OTHERS, *_PATHS])
_BINARY = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"])
_MACROS = st.sampled_from(["all", "exists", "exists_one", "map", "filter", "sortBy"])


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def joined(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda given: pattern.format(*given))

    def called(names: list[str], pattern: str) -> st.SearchStrategy[str]:
        return st.tuples(st.sampled_from(names), st.lists(inner, max_size=3), inner).map(
            lambda given: pattern.format(given[0], ", ".join(given[1]), given[2])
        )

    return st.one_of(
        joined("({0} {1} {2})", inner, _BINARY, inner),
        joined("({0} ? {1} : {2})", inner, inner, inner),
        joined("!{0}", inner),
        joined("-({0})", inner),
        joined("[{0}, {1}]", inner, inner),
        joined("{{'k': {0}, 'l': {1}}}", inner, inner),
        joined("{0}[{1}]", inner, inner),
        joined("({0}).x", inner),
        joined("has(({0}).x)", inner),
        joined("default(a.b, {0})", inner),
        joined("({0}).{1}(a, {2})", inner, _MACROS, inner),
        joined("({0}).transformMap(a, b, {1})", inner, inner),
        called(sorted(GLOBALS), "{0}({1})"),
        called(sorted(METHODS), "({2}).{0}({1})"),
    )


EXPRESSIONS = st.recursive(_LITERALS, _compound, max_leaves=8)
