"""The one folder that holds everything of a local mesh, and what is written in it."""

import os
from pathlib import Path

from weft.stack.lock import DirectoryLock
from weft.stack.state import StateFile


class DataDirectory:
    """The places inside a data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.lock = DirectoryLock(self.path)
        self.state = StateFile(self.path / "state.json")
        self.logs = self.path / "logs"
        self.postgres = self.path / "postgres"
        self.rabbitmq = self.path / "rabbitmq"

    @classmethod
    def default(cls) -> "DataDirectory":
        """WEFT_DATA_DIR, else `.weft` in the current folder."""
        return cls(Path(os.environ.get("WEFT_DATA_DIR", ".weft")))

    def log(self, name: str) -> Path:
        """The log file of a service or server."""
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders. The logs are private; the folder itself may be entered, because PostgreSQL may have to."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True, mode=0o700)
