"""Old versions of words, frozen, each with the one function that lifts its data to the next version.

A version stays understood for two releases. `UPCASTS[(type, version)]` takes the data of that version and gives the next one's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTS: dict[tuple[str, int], Upcast] = {}
