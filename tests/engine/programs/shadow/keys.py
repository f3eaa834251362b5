"""Keys of triggers: at most one live execution per key of a workflow; a repeat is skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

SKIPPED: Final = "skipped"


@dataclass
class Keys:
    """holders: who lives with each key, by workflow and key."""

    holders: dict[tuple[str, str], UUID] = field(default_factory=dict)

    def take(self, slug: str, key: str | None, id_: UUID) -> bool:
        """Whether an execution may begin, as far as its key goes."""
        return key is None or self.holders.setdefault((slug, key), id_) == id_

    def leave(self, id_: UUID) -> None:
        """An execution has ended."""
        self.holders = {key: holder for key, holder in self.holders.items() if holder != id_}

    def holder(self, slug: str, key: str | None) -> UUID:
        """Who lives with a key. Raises: KeyError."""
        return self.holders[slug, str(key)]

    def held_by(self, id_: UUID) -> str | None:
        """The key that an execution lives with."""
        return next((key for (_, key), holder in self.holders.items() if holder == id_), None)
