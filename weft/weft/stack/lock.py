"""Who holds a data directory: one process at a time, released by the kernel when it dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from weft.stack.errors import AlreadyRunning

# `is_held` takes the lock for an instant to look; whoever wants it waits that instant out.
PROBE_S = 0.3


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class DirectoryLock:
    """An exclusive lock on `<data_dir>/lock`, held until `release` or the end of the process.

    Python opens files as not inherited, so servers started by the holder do not keep it.
    """

    def __init__(self, data_dir: Path, name: str = "lock") -> None:
        self.path = data_dir / name
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock; harmless when this object has it. Raises: AlreadyRunning when another process has it."""
        if self._file is not None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PROBE_S
        while not _taken(descriptor):
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 32, 0).decode().strip()
                os.close(descriptor)
                raise AlreadyRunning(str(self.path.parent), int(holder) if holder.isdigit() else None)
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._file = descriptor

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def is_held(self) -> bool:
        """Whether any process holds it now."""
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _taken(descriptor)
        finally:
            os.close(descriptor)

    def __enter__(self) -> "DirectoryLock":
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


class TurnLock:
    """A short turn that several processes take one after another; waits for the others."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "TurnLock":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._file)
