"""What nodes and branches are called from a migration on: visits, the keys of scopes, whatever is known by them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from weft_engine.core.entries import MIGRATED, MIGRATION_UNDONE, Entry
from weft_engine.core.reuse import Reusable
from weft_engine.core.state import Place

FoundT = TypeVar("FoundT")

_KEY: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)((?:\.[0-9]+)?)(?:/([A-Za-z_][A-Za-z0-9_]*))?")
"""The key of a scope: owner, visit, branch. What follows, the number of an iteration, stays as it is."""


@dataclass(frozen=True, slots=True)
class Rename:
    """How what was called otherwise before a migration is called from it on. mapping: nodes, and branches as `<node>/<branch>`."""

    mapping: Mapping[str, str]

    def node(self, name: str) -> str:
        """A node. The undoing of one, `<node>.compensate`, goes with it."""
        node, dot, rest = name.partition(".")
        return f"{self.mapping.get(node, node)}{dot}{rest}"

    def branch(self, owner: str, label: str) -> str:
        """A branch of a node, by the old names of both."""
        return self.mapping.get(f"{owner}/{label}", label).rpartition("/")[2]

    def key(self, key: str) -> str:
        """The key of a scope. The root's stays."""
        found = _KEY.match(key)
        if found is None:
            return key
        owner, visit, label = found.groups()
        branch = "" if label is None else f"/{self.branch(owner, label)}"
        return f"{self.node(owner)}{visit}{branch}{key[found.end() :]}"


def renamer(entry: Entry) -> Rename:
    """How things are called from the entry of a migration on."""
    return Rename(entry.data.get("mapping", {}))


def renamed(reusable: Reusable, entry: Entry) -> Reusable:
    """Outside work by where a migration says that it was done."""
    rename = renamer(entry)
    return {(rename.node(node), tuple(map(rename.key, path))): done for (node, path), done in reusable.items()}


Index = dict[Place, FoundT]


def followed(known: Index[FoundT], before: Index[FoundT], entry: Entry) -> tuple[Index[FoundT], Index[FoundT]]:
    """(known, before) after an entry: what is known by visit, called as the visits are now, and as it was before the last migration."""
    if entry.kind == MIGRATED:
        return reindexed(known, entry), known
    return (before if entry.kind == MIGRATION_UNDONE else known), before


def reindexed(index: Mapping[Place, FoundT], entry: Entry) -> dict[Place, FoundT]:
    """What is known by visit, by what the visits are called after a migration. Visits of nodes that have gone are not heard of again."""
    rename, gone = renamer(entry), entry.data.get("gone", ())
    return {(rename.node(node), visit): found for (node, visit), found in index.items() if node not in gone}
