"""A system that runs: its servers, its parts and the process that drives it, all ended at the end."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from weft.stack import ports

from bench.mesh import Mesh, running_mesh
from bench.peers.peer import Part, Peer
from bench.peers.stack import servers

ROOT = Path(__file__).resolve().parents[2]
END_S = 15.0
OURSELVES = "weft"
SERVICES = ("engine", "analytics")


@dataclass
class Running:
    """mesh: every process that is measured.  driver: the one that makes the load, which is not."""

    peer: Peer
    mesh: Mesh
    driver: subprocess.Popen[bytes]
    log: Path


def described(name: str) -> Peer:
    """What a system says of itself. Raises: SystemExit for one that is not known."""
    try:
        found = importlib.import_module(f"bench.peers.{name}").PEER
    except (ModuleNotFoundError, AttributeError):
        raise SystemExit(f"there is no peer {name!r} in bench/peers") from None
    assert isinstance(found, Peer)
    return found


def environment_folder(name: str, data_dir: Path) -> Path:
    """Where a system's own packages are. Raises: SystemExit where they are not installed."""
    if name == OURSELVES:
        return Path(sys.prefix)
    folder = (data_dir / name).absolute()
    if not (folder / ".installed").exists():
        raise SystemExit(f"{name} is not installed in {folder}: run `bash bench/peers/install.sh {name}`, or `make bench-peers`")
    return folder / "venv"


@contextmanager
def running(name: str, data_dir: Path) -> Iterator[Running]:
    """A system started fresh in `<data_dir>/run/<name>`, with its driver ready to obey."""
    peer, venv, home = described(name), environment_folder(name, data_dir), (data_dir / "run" / name).absolute()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    if name == OURSELVES:
        with running_mesh(home, SERVICES) as mesh:
            mesh.processes = dict(mesh.processes)
            told = {"PEER_BROKER_URL": mesh.broker_url, "PEER_DATABASE_URL": mesh.database_url}
            with _driven(peer, mesh, venv, home, told) as driven:
                yield driven
        return
    with servers(home, peer.needs) as started:
        chosen: dict[str, int] = {}
        for port in peer.ports:
            chosen[port] = ports.choose(avoid=chosen.values())
        mesh = Mesh(started.database_url or "", started.broker_url or "", servers=started.roots)
        told = {
            "PEER_DATABASE_URL": mesh.database_url,
            "PEER_BROKER_URL": mesh.broker_url,
            "PEER_HOME": str(home),
            **{f"PORT_{port.upper()}": str(number) for port, number in chosen.items()},
        }
        try:
            for part in peer.parts:
                mesh.processes[part.name] = _spawn(part, venv, home, told, chosen)
                _await_ready(part, mesh.processes[part.name], home, chosen)
            with _driven(peer, mesh, venv, home, told) as driven:
                yield driven
        finally:
            for process in reversed(mesh.processes.values()):
                _end(process)


def _spawn(part: Part, venv: Path, home: Path, told: dict[str, str], chosen: dict[str, int]) -> subprocess.Popen[bytes]:
    places = {"python": str(venv / "bin" / "python"), "bin": str(venv / "bin"), "home": str(home), **chosen}
    with (home / f"{part.name}.log").open("ab") as log:
        return subprocess.Popen(
            [word.format(**places) for word in part.command],
            cwd=ROOT,
            env={
                **os.environ,
                **told,
                "PEER_READY": str(home / f"{part.name}.ready"),
                "PATH": f"{venv / 'bin'}:{os.environ.get('PATH', os.defpath)}",
                **{key: value.format(**places) for key, value in part.environment.items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await_ready(part: Part, process: subprocess.Popen[bytes], home: Path, chosen: dict[str, int]) -> None:
    until = time.monotonic() + part.ready_s
    while not _is_ready(part, home, chosen):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{part.name} is not ready; see {home / part.name}.log")
        time.sleep(0.1)


def _is_ready(part: Part, home: Path, chosen: dict[str, int]) -> bool:
    if part.ready_port is None:
        return (home / f"{part.name}.ready").exists()
    try:
        with socket.create_connection((ports.LOOPBACK, chosen[part.ready_port]), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def _driven(peer: Peer, mesh: Mesh, venv: Path, home: Path, told: dict[str, str]) -> Iterator[Running]:
    path = home / "drive.log"
    with path.open("ab") as log:
        driver = subprocess.Popen(
            [str(venv / "bin" / "python"), "-m", f"bench.peers.{peer.name}.drive"],
            cwd=ROOT, env={**os.environ, **told}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield Running(peer, mesh, driver, path)
    finally:
        _end(driver)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here and everything that it started."""
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    process.send_signal(signal.SIGTERM)
    _, stubborn = psutil.wait_procs(family, timeout=END_S)
    for one in stubborn:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(timeout=END_S)
