"""The same PostgreSQL and RabbitMQ for every system, with the settings that Weft runs them with; only those that a system needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from weft.stack.data_dir import DataDirectory
from weft.stack.packages import NotAvailable
from weft.stack.postgres import PostgresServer
from weft.stack.rabbitmq import RabbitNode
from weft.stack.rabbitmq_install import find


@dataclass(frozen=True)
class Servers:
    """What runs. roots: the first process of each server."""

    database_url: str | None
    broker_url: str | None
    roots: tuple[psutil.Process, ...]


@contextmanager
def servers(data_dir: Path, needs: Sequence[str]) -> Iterator[Servers]:
    """PostgreSQL, RabbitMQ, both or none below a folder; stopped at the end. Raises: SystemExit where RabbitMQ cannot be had."""
    data = DataDirectory(data_dir)
    database_url = broker_url = None
    with data.lock, ExitStack() as ending:
        data.prepare()
        if "postgres" in needs:
            postgres = PostgresServer(data.postgres, data.state, data.log("postgres"))
            ending.callback(postgres.stop)
            database_url = postgres.start()
        if "rabbitmq" in needs:
            try:
                broker = find()
            except NotAvailable as reason:
                raise SystemExit(f"this peer needs RabbitMQ: {reason}") from None
            rabbitmq = RabbitNode(data.rabbitmq, data.state, data.log("rabbitmq"), broker)
            ending.callback(rabbitmq.stop)
            broker_url = rabbitmq.start()
        state = json.loads((data_dir / "state.json").read_text()) if needs else {}
        pids = [state[name]["process"]["pid"] for name in ("postgres", "rabbitmq") if name in state]
        yield Servers(database_url, broker_url, tuple(psutil.Process(pid) for pid in pids))
