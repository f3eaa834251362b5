"""What a world is made of: executions, each twice, what could happen to them, and what they tell each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.engine.programs.driving.cored import Cored
from tests.engine.programs.shadow.execution import Execution


@dataclass
class Pair:
    """An execution, twice. cored: None when the shadow runs alone.  since: how many events had come before it."""

    id: UUID
    slug: str
    cored: Cored | None
    parent: Pair | None = None
    step: tuple[str, int] = ("", 0)
    since: int = 0
    shadow: Execution = field(init=False)
    known: set[tuple[Any, ...]] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.slug} {self.step}" if self.parent is not None else f"{self.slug} {self.id.int & 0xF}"

    @property
    def live(self) -> bool:
        """Whether it has been asked for and has not ended."""
        return not self.shadow.ended and self.shadow.status != "new"


@dataclass(frozen=True)
class Choice:
    """Something that could happen now. say: how it is shown."""

    say: str
    do: Callable[[], None]


@dataclass
class Mail:
    """An item on its way to an execution. tell: the same for the shadow."""

    to: UUID
    say: str
    tell: Callable[[Pair], None]
    item: Any = None
