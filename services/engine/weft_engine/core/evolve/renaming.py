"""What nodes are called from a migration on: their visits, the keys of their scopes, whatever is known by them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from weft_engine.core.entries import Entry
from weft_engine.core.state import Done, Place

Rename = Callable[[str], str]
FoundT = TypeVar("FoundT")

_OWNER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def renamer(mapping: Mapping[str, str]) -> Rename:
    """How nodes are called from now on; the undoing of a node, `<node>.compensate`, goes with it."""

    def rename(node: str) -> str:
        name, dot, rest = node.partition(".")
        return f"{mapping.get(name, name)}{dot}{rest}"

    return rename


def rekeyed(key: str, rename: Rename) -> str:
    """The key of a scope whose owner was renamed. The root's stays."""
    return _OWNER.sub(lambda owner: rename(owner.group()), key, count=1)


def renamed(done: Done, entry: Entry) -> Done:
    """Outside work as a migration calls it."""
    rename = renamer(entry.data.get("mapping", {}))
    return replace(done, node=rename(done.node), scope=rekeyed(done.scope, rename))


def reindexed(index: Mapping[Place, FoundT], entry: Entry) -> dict[Place, FoundT]:
    """What is known by visit, by what the visits are called after a migration. Visits of nodes that have gone are not heard of again."""
    rename, gone = renamer(entry.data.get("mapping", {})), entry.data.get("gone", ())
    return {(rename(node), visit): found for (node, visit), found in index.items() if node not in gone}
