"""The written memory of a data directory: ports, passwords and processes, in one private JSON file."""

import json
import os
import threading
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Section = TypeVar("Section", bound=BaseModel)


class StateFile:
    """Named sections of one JSON file, each a pydantic model. Written whole and atomically; safe between threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()

    def get(self, name: str, model: type[Section]) -> Section | None:
        """The section, or None when it was never written or is from a version that cannot be read."""
        try:
            return model.model_validate(self._load()[name])
        except (KeyError, ValidationError):
            return None

    def put(self, name: str, section: BaseModel) -> None:
        """Write the section and keep the others."""
        with self._guard:
            self._save(self._load() | {name: section.model_dump(mode="json")})

    def drop(self, name: str) -> None:
        """Forget the section."""
        with self._guard:
            self._save({key: value for key, value in self._load().items() if key != name})

    def _load(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _save(self, content: dict[str, Any]) -> None:
        fresh = self.path.with_suffix(".new")
        # It holds passwords: private from its first byte on.
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
