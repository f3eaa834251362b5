"""One system, all workloads: what it does a second, how long an execution takes, what CPU and memory that takes."""

from __future__ import annotations

import asyncio
import json
import queue
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.mesh import Mesh, analyse
from bench.peers.running import Running, running

WARM_S = 2.0
FIRST_WARM_S = 4.0
SAMPLE_S = 1.0
ANSWER_S = 120.0
SHARES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the number that a system says is its best, those that `tried` tries."""


@dataclass(frozen=True)
class Row:
    """One workload on one system in one round. Rates per second, times in ms, memory in MiB.

    cpu_ms_per_execution: of the system with its servers.  driver_ms_per_execution: of the process that made the load.
    """

    open: int
    executions_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_execution: float
    driver_ms_per_execution: float
    peak_mib: float
    cpu_ms_by_part: dict[str, float]


class Failed(Exception):
    """The system could not do the work; the text says why."""


class Driver:
    """The driving process, spoken to in lines."""

    def __init__(self, run: Running) -> None:
        self._run = run
        self._answers: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._run.driver.stdout is not None
        for line in self._run.driver.stdout:
            self._answers.put(line)
        self._answers.put(b"")

    def ask(self, **command: Any) -> None:
        """Give a command."""
        assert self._run.driver.stdin is not None
        self._run.driver.stdin.write((json.dumps(command) + "\n").encode())
        self._run.driver.stdin.flush()

    def answer(self, word: str, asked_s: float = 0.0) -> Any:
        """The next answer, to what lasts `asked_s` seconds. Raises: Failed when it is another one, or late."""
        try:
            line = self._answers.get(timeout=asked_s + ANSWER_S)
        except queue.Empty:
            raise Failed(f"no answer in {asked_s + ANSWER_S:.0f} s") from None
        said = json.loads(line) if line else {"error": f"the driver ended; see {self._run.log}"}
        if word not in said:
            raise Failed(said.get("error", str(said)))
        return said[word]


def measured(name: str, data_dir: Path, seconds: float, workloads: list[str]) -> tuple[dict[str, Row], dict[str, str]]:
    """Run a system and measure it. Returns: a row by workload, and why by workload that it could not do."""
    rows: dict[str, Row] = {}
    missing: dict[str, str] = {}
    with running(name, data_dir) as run:
        driver = Driver(run)
        driver.answer("ready")
        wanted = [workload for workload in workloads if workload in run.peer.open]
        missing |= {workload: why for workload, why in run.peer.cannot.items() if workload in workloads}
        for position, workload in enumerate(wanted):
            try:
                if position == 0:
                    _warm_up(run, driver, workload)
                rows[workload] = _drive(run, driver, workload, run.peer.open[workload], WARM_S, seconds)
                print(f"{name} {workload}: {rows[workload]}", flush=True)
            except Failed as failure:
                missing[workload] = f"failed: {failure}"
                if run.driver.poll() is not None:
                    break
    return rows, missing


def tried(name: str, data_dir: Path, seconds: float, workloads: list[str]) -> dict[tuple[str, int], Row]:
    """Run a system with fewer and with more executions open than it says is its best.

    Returns: a row by workload and number. What it could not do is printed.
    """
    rows: dict[tuple[str, int], Row] = {}
    with running(name, data_dir) as run:
        driver = Driver(run)
        driver.answer("ready")
        wanted = [workload for workload in workloads if run.peer.open.get(workload, 1) > 1]
        for position, workload in enumerate(wanted):
            if position == 0:
                _warm_up(run, driver, workload)
            for share in SHARES:
                open_ = max(1, round(run.peer.open[workload] * share))
                try:
                    rows[workload, open_] = _drive(run, driver, workload, open_, WARM_S, seconds)
                except Failed as failure:
                    print(f"{name} {workload} with {open_} open failed: {failure}", flush=True)
                    if run.driver.poll() is not None:
                        return rows
                else:
                    print(f"{name} {workload}: {rows[workload, open_]}", flush=True)
    return rows


def _warm_up(run: Running, driver: Driver, workload: str) -> None:
    with suppress(Failed):  # some need longer than that for their first execution
        _drive(run, driver, workload, run.peer.open[workload], FIRST_WARM_S, 0.5)
    if run.mesh.database_url:
        # As autovacuum does on a database that has run for a while.
        asyncio.run(analyse(run.mesh.database_url))


def _drive(run: Running, driver: Driver, workload: str, open_: int, warm_s: float, seconds: float) -> Row:
    driver.ask(workload=workload, open=open_, warm_s=warm_s, seconds=seconds)
    driver.answer("begun")
    before, load_before = _cpu_by_part(run.mesh), _cpu_s([psutil.Process(run.driver.pid)])
    with _peak_memory(run) as peak:
        result = driver.answer("result", seconds)
        after, load_after = _cpu_by_part(run.mesh), _cpu_s([psutil.Process(run.driver.pid)])
    driver.answer("drained")
    each = 1000 / max(1, result["executions"])
    used = {part: (after[part] - before.get(part, 0.0)) * each for part in after}
    return Row(
        open_, result["executions_per_s"], result["p50_ms"], result["p99_ms"], sum(used.values()), (load_after - load_before) * each,
        max(peak, default=0.0), {part: round(ms, 3) for part, ms in sorted(used.items())},
    )  # fmt: skip


def _cpu_by_part(mesh: Mesh) -> dict[str, float]:
    """What `Mesh.cpu_s` counts, with what a part's own children use on that part's account."""
    roots = {name: psutil.Process(process.pid) for name, process in mesh.processes.items()}
    roots |= {"postgres" if "postgres" in root.name() else "rabbitmq": root for root in mesh.servers}
    used: dict[str, float] = {}
    for name, root in roots.items():
        try:
            used[name] = _cpu_s([root, *root.children(recursive=True)])
        except psutil.NoSuchProcess:
            raise Failed(f"{name} ended while it was measured") from None
    return used


def _cpu_s(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


@contextmanager
def _peak_memory(run: Running) -> Iterator[list[float]]:
    found: list[float] = []
    over = threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_S):
            found.append(run.mesh.memory_mib())

    sampling = threading.Thread(target=sample)
    sampling.start()
    try:
        yield found
    finally:
        over.set()
        sampling.join()
        found.append(run.mesh.memory_mib())


def medians(rounds: list[Row]) -> dict[str, float]:
    """Each number's median over the rounds."""
    values = [asdict(row) for row in rounds]
    return {key: statistics.median(value[key] for value in values) for key in values[0] if key != "cpu_ms_by_part"}
