"""Values of a definition as a Serverless Workflow writes them: templates as expressions, durations as ISO 8601."""

from __future__ import annotations

from typing import Any

from weft_language.expressions.template import split
from weft_language.model.durations import parse_duration
from weft_language.serverless.terms import quoted


def phrase(value: Any) -> Any:
    """A value whose texts are templates, as one whose texts may be expressions `${ ... }`."""
    if isinstance(value, dict):
        return {name: phrase(one) for name, one in value.items()}
    if isinstance(value, list):
        return [phrase(one) for one in value]
    if not isinstance(value, str):
        return value
    parts = split(value)
    if all(isinstance(part, str) for part in parts):
        plain = "".join(map(str, parts))
        return expression(quoted(plain)) if plain.strip().startswith("${") else plain
    if len(parts) == 1:
        return expression(getattr(parts[0], "text", ""))
    return expression(" + ".join(quoted(part) if isinstance(part, str) else f"text({part.text})" for part in parts))


def expression(cel: str) -> str:
    """An expression, marked as one."""
    # There a line is matched as a whole; in CEL a line's end matters after a comment and in a text between three quotes only.
    one_line = cel if "//" in cel or '"""' in cel or "'''" in cel else cel.replace("\n", " ")
    return "${ " + one_line + " }"


def iso(text: str) -> str:
    """A duration as ISO 8601, in days and seconds: `90s` is `PT90S`. A template stays an expression."""
    if "{{" in text:
        return str(phrase(text))
    days, seconds = divmod(parse_duration(text), 86_400)
    shown = f"{seconds:.3f}".rstrip("0").rstrip(".")
    return f"P{int(days)}D" if days and not seconds else f"P{int(days)}DT{shown}S" if days else f"PT{shown}S"
