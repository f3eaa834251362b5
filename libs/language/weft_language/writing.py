"""Writing plain values as YAML that `read_document` reads back as they are."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
"""Texts that need no quotes, whatever reads them: words of ASCII."""
_WORDS: Final = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
"""Words that some readers of YAML take for something else."""
_LINES: Final = re.compile(r"[^\s][^\n]*[^\s\n](?:\n+[^\s][^\n]*[^\s\n])+\n?")
_READABLE: Final = re.compile(r"[\n\x20-\x7e\xa0-\ud7ff]*")


class _Dumper(_DUMPER):  # type: ignore[misc, valid-type]
    """Writes texts so that nobody takes them for anything else; repeats what stands twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> Any:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        style = ""
    elif len(text) > 40 and _READABLE.fullmatch(text) and _LINES.fullmatch(text):
        style = "|"
    else:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def write_yaml(value: Any) -> str:
    """The YAML text of a plain JSON value, members in their order. `read_document` gives the same value again."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False))
