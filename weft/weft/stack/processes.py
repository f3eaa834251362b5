"""Processes told apart by more than their number, so that only our own are ever ended."""

import signal
import subprocess

import psutil
from pydantic import BaseModel, ConfigDict

# psutil derives the start time from the boot time, which moves when the clock is corrected.
CLOCK_CORRECTION_S = 2.0


class ProcessMark(BaseModel):
    """One process, recognisable after its number was given to another.

    started_at: seconds since the epoch.  marker: words in its command line or environment.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    started_at: float
    marker: str

    @classmethod
    def of(cls, pid: int, marker: str) -> "ProcessMark":
        """The mark of a process that runs now. Raises: psutil.NoSuchProcess."""
        return cls(pid=pid, started_at=psutil.Process(pid).create_time(), marker=marker)

    def find(self) -> psutil.Process | None:
        """The process, or None when it ended or its number now belongs to another."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_at) <= CLOCK_CORRECTION_S
            if not same or process.status() == psutil.STATUS_ZOMBIE:
                return None
            words = [*process.cmdline(), *process.environ().values()]
            return process if any(self.marker in word for word in words) else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None


def end(mark: ProcessMark | None, gently: signal.Signals = signal.SIGTERM, timeout_s: float = 20.0) -> None:
    """End the marked process if it still runs: ask first, insist after `timeout_s` seconds."""
    process = mark.find() if mark else None
    if process is None:
        return
    try:
        process.send_signal(gently)
        process.wait(timeout_s)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(timeout_s)
    except psutil.NoSuchProcess:
        return


def reap(child: subprocess.Popen[bytes] | None) -> None:
    """Collect the exit status of a child that was ended, so that it does not stay as a zombie."""
    if child is not None:
        child.wait(30)
