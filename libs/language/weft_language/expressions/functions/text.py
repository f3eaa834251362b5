"""Functions on texts: CEL's own and its strings extension. Positions and sizes count Unicode code points."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, VALUE, ExpressionError
from weft_language.expressions.errors import TYPE as TYPE_ERROR
from weft_language.expressions.functions.registry import INT, LIST, TEXT, function, method
from weft_language.expressions.limits import PATTERN_CHARS, Frame, spend, spend_text
from weft_language.expressions.values import spoken

_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_BLANKS: Final = " \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_PATTERN_MEMORY: Final = 1 << 20
"""Bytes an expression's regular expression may take compiled, as google-re2 counts them."""
_STEPS_PER_INSTRUCTION: Final = 4
_REFUSED_STEPS: Final = 60_000
"""For finding out that a pattern is none, or too large."""


@method("contains", TEXT, TEXT)
def _contains(frame: Frame, text: str, part: str) -> bool:
    spend_text(frame, len(text))
    return part in text


@method("startsWith", TEXT, TEXT)
def _starts_with(frame: Frame, text: str, part: str) -> bool:
    spend_text(frame, len(part))
    return text.startswith(part)


@method("endsWith", TEXT, TEXT)
def _ends_with(frame: Frame, text: str, part: str) -> bool:
    spend_text(frame, len(part))
    return text.endswith(part)


@lru_cache(maxsize=512)
def pattern(source: str) -> Any:
    """A compiled regular expression. Raises: ExpressionError when google-re2 cannot compile it or it is too large."""
    import re2  # imported late: most definitions hold no pattern, and the library takes 4 MiB

    if len(source) > PATTERN_CHARS:
        raise ExpressionError(LIMIT, f"a pattern of {len(source)} characters is over the limit of {PATTERN_CHARS}")
    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    try:
        return re2.compile(source, options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        if isinstance(reason, bytes):
            reason = reason.decode(errors="replace")
        raise ExpressionError(VALUE, f"`{source[:80]}` is not a pattern google-re2 takes: {reason}") from None


@function("matches", TEXT, TEXT)
@method("matches", TEXT, TEXT)
def _matches(frame: Frame, text: str, source: str) -> bool:
    spend(frame, len(text) // 8 + 1)
    used = frame[-1]
    if used is None:
        used = frame[-1] = set()
    if source in used:
        return pattern(source).search(text) is not None
    used.add(source)
    try:
        found = pattern(source)
    except ExpressionError:
        spend(frame, _REFUSED_STEPS)
        raise
    # Each one costs what compiling it does, known or not: what an expression may do does not depend on others before it.
    spend(frame, found.programsize * _STEPS_PER_INSTRUCTION)
    return found.search(text) is not None


@method("charAt", TEXT, INT)
def _char_at(frame: Frame, text: str, at: int) -> str:
    _within(at, len(text))
    return text[at : at + 1]


@method("indexOf", TEXT, TEXT)
def _index_of(frame: Frame, text: str, part: str) -> int:
    return _index_from(frame, text, part, 0)


@method("indexOf", TEXT, TEXT, INT)
def _index_from(frame: Frame, text: str, part: str, start: int) -> int:
    _within(start, len(text))
    spend_text(frame, len(text))
    return text.find(part, start)


@method("lastIndexOf", TEXT, TEXT)
def _last_index_of(frame: Frame, text: str, part: str) -> int:
    spend_text(frame, len(text))
    return text.rfind(part)


@method("lastIndexOf", TEXT, TEXT, INT)
def _last_index_from(frame: Frame, text: str, part: str, start: int) -> int:
    _within(start, len(text))
    spend_text(frame, len(text))
    return text.rfind(part, 0, start + len(part))


@method("join", LIST)
def _join(frame: Frame, parts: list[Any]) -> str:
    return _join_with(frame, parts, "")


@method("join", LIST, TEXT)
def _join_with(frame: Frame, parts: list[Any], separator: str) -> str:
    spend(frame, len(parts))
    for part in parts:
        if type(part) is not str:
            hint = "; use map(x, text(x)) first"
            raise ExpressionError(TYPE_ERROR, f"join joins texts, not {spoken(part)}{hint}")
    spend_text(frame, sum(map(len, parts)) + len(separator) * max(0, len(parts) - 1))
    return separator.join(parts)


@method("split", TEXT, TEXT)
def _split(frame: Frame, text: str, separator: str) -> list[str]:
    return _split_at_most(frame, text, separator, -1)


@method("split", TEXT, TEXT, INT)
def _split_at_most(frame: Frame, text: str, separator: str, limit: int) -> list[str]:
    spend_text(frame, len(text))
    if limit == 0:
        return []
    if separator:
        parts = text.split(separator, limit - 1 if limit > 0 else -1)
    elif 0 < limit < len(text):
        parts = [*text[: limit - 1], text[limit - 1 :]]
    else:
        parts = list(text) or [text]
    spend(frame, len(parts))
    return parts


@method("replace", TEXT, TEXT, TEXT)
def _replace(frame: Frame, text: str, old: str, new: str) -> str:
    return _replace_at_most(frame, text, old, new, -1)


@method("replace", TEXT, TEXT, TEXT, INT)
def _replace_at_most(frame: Frame, text: str, old: str, new: str, limit: int) -> str:
    spend_text(frame, len(text))
    found = text.count(old)
    count = found if limit < 0 else min(found, limit)
    spend_text(frame, max(0, len(text) + count * (len(new) - len(old))))
    return text.replace(old, new, count)


@method("substring", TEXT, INT)
def _substring_from(frame: Frame, text: str, start: int) -> str:
    _within(start, len(text))
    spend_text(frame, len(text) - start)
    return text[start:]


@method("substring", TEXT, INT, INT)
def _substring(frame: Frame, text: str, start: int, end: int) -> str:
    _within(start, len(text))
    _within(end, len(text))
    if start > end:
        raise ExpressionError(VALUE, f"substring ends at {end}, before its start {start}")
    spend_text(frame, end - start)
    return text[start:end]


@method("trim", TEXT)
def _trim(frame: Frame, text: str) -> str:
    spend_text(frame, len(text))
    return text.strip(_BLANKS)


@method("lowerAscii", TEXT)
def _lower_ascii(frame: Frame, text: str) -> str:
    spend_text(frame, len(text))
    return text.translate(_LOWER)


@method("upperAscii", TEXT)
def _upper_ascii(frame: Frame, text: str) -> str:
    spend_text(frame, len(text))
    return text.translate(_UPPER)


@method("reverse", TEXT)
def _reverse(frame: Frame, text: str) -> str:
    spend_text(frame, len(text))
    return text[::-1]


def _within(at: int, size: int) -> None:
    if not 0 <= at <= size:
        raise ExpressionError(VALUE, f"index {at} is outside of a text of {size} characters")
