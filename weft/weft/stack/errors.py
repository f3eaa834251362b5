"""What can go wrong with the local stack, said so that the reader can mend it."""

from pathlib import Path


class StackError(Exception):
    """A local server could not be started, found or stopped.

    code: stable, snake case.  problem: what went wrong, where.  mend: what the reader can do about it.
    """

    def __init__(self, code: str, problem: str, mend: str) -> None:
        super().__init__(f"{problem}\n{mend} [{code}]")
        self.code = code
        self.problem = problem
        self.mend = mend


class AlreadyRunning(StackError):
    """Another process holds the data directory. pid: None where it did not write itself down."""

    def __init__(self, data_dir: str, pid: int | None) -> None:
        self.pid = pid
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            "stack_running",
            f"Weft is already running on {data_dir} ({holder} holds it).",
            "See `weft status`; stop it with `weft down`, or use another directory with --data-dir.",
        )


class StateLost(StackError):
    """Data without the file that knows its password. It is never overwritten."""

    def __init__(self, directory: Path, state: Path) -> None:
        super().__init__(
            "state_lost",
            f"{directory} holds data, but {state}, which knows its password, is gone.",
            f"Put {state.name} back, or move {directory} away to begin anew.",
        )
