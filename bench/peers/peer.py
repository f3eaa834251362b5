"""What a system must say of itself to be run beside the others."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

WORKLOADS: dict[str, str] = {
    "remote3": "three remote steps, one after another, many executions open",
    "remote3_single": "the same, one at a time",
    "fanout100": "100 remote steps at once and a join, some executions open",
    "fanout100_single": "the same, one at a time",
    "signal": "start, wait for a signal, complete, many executions open",
    "local3": "three durable steps inside the process of the workflow, many executions open",
    "local3_single": "the same, one at a time",
    "local100_single": "100 such steps at once and a join, one at a time",
}


@dataclass(frozen=True)
class Part:
    """One process of a system.

    command: with `{python}`, `{bin}` (of its virtual environment), `{home}` (its folder of this run), `{NAME}` for a port of that name.
    ready_port: the name of the port that answers when the part is ready; without one it touches the file named in PEER_READY.
    ready_s: how long that may take, seconds.
    """

    name: str
    command: tuple[str, ...]
    ready_port: str | None = None
    ready_s: float = 90.0
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """A system to be measured.

    needs: `postgres`, `rabbitmq`.  ports: names; each is told to its processes as PORT_<NAME>.
    open: how many executions are kept open, by workload, at its best.  cannot: why a workload is left out.
    """

    name: str
    parts: tuple[Part, ...]
    open: dict[str, int]
    needs: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    cannot: dict[str, str] = field(default_factory=dict)


def database_url() -> str:
    """The superuser's address of this run's PostgreSQL."""
    return os.environ["PEER_DATABASE_URL"]


def broker_url() -> str:
    """The address of this run's RabbitMQ."""
    return os.environ["PEER_BROKER_URL"]


def port(name: str) -> int:
    """A loopback port that this run gave to the system."""
    return int(os.environ[f"PORT_{name.upper()}"])


def say_ready() -> None:
    """Tell who started this process that it can work."""
    Path(os.environ["PEER_READY"]).touch()
