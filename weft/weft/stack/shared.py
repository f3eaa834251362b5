"""One stack for many short-lived processes at once: the first starts it, the others join, it ends after the last.

A keeper process holds the stack. Whoever uses it holds a lock on a file of its own in `holders/`; the kernel drops that
lock when the process dies, however it dies, so nothing has to be counted. Tests run on this.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from pydantic import BaseModel

from weft.stack.data_dir import DataDirectory
from weft.stack.errors import StackError
from weft.stack.lock import TurnLock
from weft.stack.processes import ProcessMark
from weft.stack.rabbitmq import RabbitNode
from weft.stack.rabbitmq_install import find
from weft.stack.sql import execute, fetch_column
from weft.stack.stack import Running, Stack

JOIN_TIMEOUT_S = 400.0
# Held, but nothing offered: its starter was killed while waiting. It is nearly there, or it is no keeper at all.
ORPHANED_START_S = 60.0
IDLE_S = 20.0
LOOK_EVERY_S = 1.0
# What users make carries this prefix; what a killed user left is removed at the next start.
PREFIX = "test"


class Shared(BaseModel):
    """What the keeper offers."""

    keeper: ProcessMark
    database_url: str
    broker_url: str | None
    notice: str | None


class Membership:
    """The use of a shared stack, from `join` to `leave` or the end of the process.

    idle_s: how long the stack stays for the next user after the last one left; of whoever starts it.
    """

    def __init__(self, data_dir: Path, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self.data = DataDirectory(data_dir)
        self._holders = self.data.path / "holders"
        self._file: int | None = None

    def join(self) -> Running:
        """Start the stack or join it. Raises: StackError `shared_stack_failed`, with what the keeper said."""
        with TurnLock(self.data.path / "turn"):
            self._hold()
            keeper = None if self.data.lock.is_held() else self._start_keeper()
            shared = self._wait_for_keeper(keeper)
        return Running(shared.database_url, shared.broker_url, shared.notice)

    def leave(self) -> None:
        """Stop using the stack."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def node(self) -> RabbitNode:
        """The shared RabbitMQ node, to make vhosts on it."""
        return RabbitNode(self.data.rabbitmq, self.data.state, self.data.log("rabbitmq"), find())

    def _hold(self) -> None:
        self._holders.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self._holders / f"{os.getpid()}-{uuid.uuid4().hex[:8]}", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _start_keeper(self) -> "subprocess.Popen[bytes]":
        self.data.prepare()
        self.data.state.drop("shared")
        with self.data.log("keeper").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", "weft.stack.shared", str(self.data.path), str(self._idle_s)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait_for_keeper(self, keeper: "subprocess.Popen[bytes] | None") -> Shared:
        deadline = time.monotonic() + (JOIN_TIMEOUT_S if keeper else ORPHANED_START_S)
        while time.monotonic() < deadline and not (keeper and keeper.poll() is not None):
            shared = self.data.state.get("shared", Shared)
            if shared is not None and shared.keeper.find():
                return shared
            time.sleep(0.05)
        self.leave()
        said = self.data.log("keeper").read_text(errors="replace").strip()
        raise StackError(
            "shared_stack_failed",
            f"The shared stack in {self.data.path} did not start: {said[-1500:] or 'it said nothing'}",
            f"Look at {self.data.logs}; another `weft up` on the same directory has to be stopped first.",
        )


def keep(data_dir: Path, idle_s: float) -> None:
    """Hold a stack as long as somebody uses it. Raises: StackError when it cannot be started."""
    data = DataDirectory(data_dir)
    stack = Stack(data.path)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    running = stack.start()
    try:
        _remove_leftovers(stack, running)
        mark = ProcessMark.of(os.getpid(), "weft.stack.shared")
        data.state.put("shared", Shared(keeper=mark, **vars(running)))
        while True:
            _wait_until_unused(data, idle_s)
            if _ended(stack, data):
                return
    except BaseException:
        stack.stop()
        raise


def _wait_until_unused(data: DataDirectory, idle_s: float) -> None:
    unused_since = time.monotonic()
    while time.monotonic() - unused_since < idle_s:
        time.sleep(LOOK_EVERY_S)
        if _is_used(data):
            unused_since = time.monotonic()


def _ended(stack: Stack, data: DataDirectory) -> bool:
    """Stop the stack unless somebody uses it. In its turn, so that nobody joins meanwhile: what runs after it may be the next keeper's."""
    with TurnLock(data.path / "turn"):
        if _is_used(data):
            return False
        data.state.drop("shared")
        for path in (data.path / "holders").iterdir():
            path.unlink()
        stack.stop()
        return True


def _is_used(data: DataDirectory) -> bool:
    """Whether a living process holds its file."""
    for path in (data.path / "holders").iterdir():
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _remove_leftovers(stack: Stack, running: Running) -> None:
    if stack.postgres:
        names = [str(name) for name in fetch_column(running.database_url, "SELECT datname FROM pg_database")]
        left = [name for name in names if name.startswith(PREFIX)]
        execute(running.database_url, *(f'DROP DATABASE "{name}" WITH (FORCE)' for name in left))
    if stack.rabbitmq:
        left = [name for name in stack.rabbitmq.vhosts() if name.startswith(PREFIX)]
        if left:
            stack.rabbitmq.delete_vhosts(left)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), float(sys.argv[2]))
