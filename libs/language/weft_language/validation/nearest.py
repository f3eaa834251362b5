"""Proposals: what an author probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when none is like it. Case and the kind of separator hardly count."""
    choices = list(known)
    plain = {_plain(choice): choice for choice in reversed(choices)}
    if _plain(name) in plain and plain[_plain(name)] != name:
        return plain[_plain(name)]
    found = get_close_matches(name[:100], choices, n=1, cutoff=0.6)
    return found[0] if found else None


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def choice(names: Iterable[str], most: int = 12) -> str:
    """Names for a sentence: `a`, `b` or `c`; many are cut."""
    listed = [f"`{name}`" for name in names]
    if len(listed) > most:
        return ", ".join(listed[:most]) + f" or {len(listed) - most} more"
    return " or ".join([", ".join(listed[:-1]), listed[-1]]) if len(listed) > 1 else "".join(listed)
