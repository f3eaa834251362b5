"""A question to another service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Kind = Literal["simulation", "backtest"]


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, of which workflow, and what came of it.

    asked: for who reads it later.  answer: None until there is one, and where `problem` says why there is none.
    """

    id: UUID
    kind: Kind
    slug: str
    asked: dict[str, Any]
    asked_by: str
    asked_at: datetime
    answer: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    answered_at: datetime | None = None
