"""The mesh that is measured: PostgreSQL, RabbitMQ, and one process per service, on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import psutil
from weft.rooms import room
from weft.stack import Stack
from weft_runtime.database.roles import provision

from weft import services

SECRET = "the secret of a mesh that is only measured"
TENANT = "bench"
POOL = "bench"
READY_S = 180.0


@dataclass
class Mesh:
    """A running mesh. processes: of the services by name.  servers: the roots of PostgreSQL and RabbitMQ."""

    database_url: str
    broker_url: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    servers: tuple[psutil.Process, ...] = ()
    data_dir: Path = Path()
    environments: dict[str, dict[str, str]] = field(default_factory=dict)

    async def add(self, name: str, service: str) -> None:
        """One more process of a service, once its doors are open."""
        _spawn(self, name, "service", service)
        await asyncio.to_thread(_await_ready, self)

    def kill(self, name: str) -> None:
        """End a process as kill -9 does."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def everything(self) -> list[psutil.Process]:
        """Every process of the mesh now, without the one that makes the load."""
        found: list[psutil.Process] = []
        for root in (*self.servers, *(psutil.Process(process.pid) for process in self.processes.values())):
            try:
                found += [root, *root.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
        return found

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far, by part."""
        used: dict[str, float] = {}
        names = {process.pid: name for name, process in self.processes.items()}
        for process in self.everything():
            try:
                times = process.cpu_times()
                name = names.get(process.pid) or ("postgres" if "postgres" in process.name() else "rabbitmq")
            except psutil.NoSuchProcess:
                continue
            used[name] = used.get(name, 0.0) + times.user + times.system + times.children_user + times.children_system
        return used

    def memory_mib(self) -> float:
        """Memory of all processes, each shared page counted once (PSS), MiB."""
        total = 0
        for process in self.everything():
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return total / 2**20


async def prepare(database_url: str, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Provision and migrate these services. Returns: the environment of each."""
    environments: dict[str, dict[str, str]] = {}
    for name in names:
        urls = await provision(database_url, name, SECRET)
        environments[name] = {"WEFT_DATABASE_URL": urls.owner, "WEFT_API_DATABASE_URL": urls.api, "WEFT_SECRET_KEY": SECRET}
        settings = services.settings(room(name), database_url=urls.owner, api_database_url=urls.api, secret_key=SECRET)
        await services.build(room(name), settings).migrate()
    return environments


async def analyse(database_url: str) -> None:
    """Let the planner know the tables, as autovacuum does on a mesh that has run for a while."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("ANALYZE")
    await connection.close()


@contextmanager
def running_mesh(data_dir: Path, names: Sequence[str], *, workers: int = 1) -> Iterator[Mesh]:
    """A mesh of these services, started fresh and stopped at the end."""
    stack = Stack(data_dir)
    with stack as servers:
        if servers.broker_url is None:
            raise SystemExit(f"the bench needs RabbitMQ: {servers.notice}")
        environments = asyncio.run(prepare(servers.database_url, names))
        roots = tuple(psutil.Process(pid) for pid in _server_pids(data_dir))
        mesh = Mesh(servers.database_url, servers.broker_url, servers=roots, data_dir=data_dir, environments=environments)
        try:
            for name in names:
                _spawn(mesh, name, "service", name)
            for number in range(workers):
                _spawn(mesh, f"worker{number}", "worker", "worker")
            _await_ready(mesh)
            yield mesh
        finally:
            for process in mesh.processes.values():
                process.send_signal(signal.SIGTERM)
            for process in mesh.processes.values():
                process.wait(timeout=30)


def _server_pids(data_dir: Path) -> list[int]:
    state = json.loads((data_dir / "state.json").read_text())
    return [state[name]["process"]["pid"] for name in ("postgres", "rabbitmq") if name in state]


def _spawn(mesh: Mesh, name: str, kind: str, service: str) -> None:
    data_dir = mesh.data_dir
    environment = mesh.environments["engine" if kind == "worker" else service]
    given = {
        "WEFT_BROKER_URL": mesh.broker_url,
        "WEFT_POOL": POOL,
        "WEFT_LOG_LEVEL": "WARNING",
        "BENCH_READY": str(data_dir / f"{name}.ready"),
    }
    (data_dir / f"{name}.ready").unlink(missing_ok=True)
    log = (data_dir / f"bench-{name}.log").open("ab")
    mesh.processes[name] = subprocess.Popen(
        [sys.executable, "-m", "bench.node", kind, service],
        env={**os.environ, **environment, **given},
        stdout=log,
        stderr=log,
    )


def _await_ready(mesh: Mesh) -> None:
    data_dir = mesh.data_dir
    until = time.monotonic() + READY_S
    while not all((data_dir / f"{name}.ready").exists() for name in mesh.processes):
        dead = [name for name, process in mesh.processes.items() if process.poll() is not None]
        if dead or time.monotonic() > until:
            raise SystemExit(f"not ready: {dead or 'in time'}; see {data_dir}/bench-*.log")
        time.sleep(0.1)
