"""Proposals: what an author probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from heapq import nlargest
from typing import Final

_COMPARED: Final = 12
"""How many names are compared letter by letter; those that share the most pairs of letters."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none is like it. Case and the kind of separator hardly count."""
    choices = list(known)
    plain = {_plain(choice): choice for choice in reversed(choices)}
    if _plain(name) in plain and plain[_plain(name)] != name:
        return plain[_plain(name)]
    pairs = _pairs(name[:100])
    likely = nlargest(_COMPARED, choices, key=lambda choice: len(pairs & _pairs(choice)) / (len(choice) + 1))
    found = get_close_matches(name[:100], likely, n=1, cutoff=0.6)
    return found[0] if found else None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _pairs(name: str) -> set[str]:
    return {name[place : place + 2] for place in range(len(name) - 1)}


def choice(names: Iterable[str], most: int = 12) -> str:
    """Names for a sentence: `a`, `b` or `c`; many are cut."""
    listed = [f"`{name}`" for name in names]
    if len(listed) > most:
        return ", ".join(listed[:most]) + f" or {len(listed) - most} more"
    return " or ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)
