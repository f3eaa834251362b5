"""Everything that the services stand on, started and stopped together."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from weft.stack.data_dir import DataDirectory
from weft.stack.packages import NotAvailable
from weft.stack.postgres import PostgresRecord, PostgresServer
from weft.stack.processes import end
from weft.stack.rabbitmq import RabbitNode, RabbitRecord
from weft.stack.rabbitmq_install import find

Progress = Callable[[str], None]
Prepare = Callable[[str], None]


@dataclass(frozen=True)
class Running:
    """What a started stack offers.

    database_url: a superuser's address, or what WEFT_DATABASE_URL says.
    broker_url: an administrator's address, or what WEFT_BROKER_URL says; None means the in-process bus.
    notice: why there is no broker, in words for the user.
    """

    database_url: str
    broker_url: str | None
    notice: str | None = None


class Stack:
    """PostgreSQL and RabbitMQ of one data directory, which it holds from `start` to `stop`.

    progress: told in words what takes time.
    prepare: told the database's address once it answers, in a thread of its own: there is time while the broker still starts.
    """

    def __init__(self, data_dir: Path, progress: Progress = lambda text: None, prepare: Prepare = lambda url: None) -> None:
        self.data = DataDirectory(data_dir)
        self.postgres: PostgresServer | None = None
        self.rabbitmq: RabbitNode | None = None
        self._progress = progress
        self._prepare = prepare

    def start(self) -> Running:
        """Start what the environment does not name already, side by side; recover what a killed predecessor left.

        Raises: AlreadyRunning; StackError when a server cannot be started, with nothing left running; what `prepare` raises.
        """
        self.data.lock.acquire()
        try:
            self.data.prepare()
            with ThreadPoolExecutor(2) as side_by_side:
                database = side_by_side.submit(self._start_database)
                broker = side_by_side.submit(self._start_rabbitmq)
            broker_url, notice = broker.result()
            return Running(database.result(), broker_url, notice)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what `start` started, in good order, and let the data directory go."""
        servers = [server for server in (self.postgres, self.rabbitmq) if server is not None]
        with ThreadPoolExecutor(2) as side_by_side:
            for done in [side_by_side.submit(server.stop) for server in servers]:
                done.result()
        self.data.lock.release()

    def revive(self) -> list[str]:
        """Start again, on their ports, the servers that died since `start`. Returns: their names.

        Raises: StackError when one cannot be started.
        """
        dead = [server for server in (self.postgres, self.rabbitmq) if server is not None and not server.is_running()]
        for server in dead:
            server.start()
        return [type(server).__name__ for server in dead]

    def __enter__(self) -> Running:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start_database(self) -> str:
        url = self._start_postgres()
        self._prepare(url)
        return url

    def _start_postgres(self) -> str:
        if given := os.environ.get("WEFT_DATABASE_URL"):
            return given
        self._progress("Starting PostgreSQL")
        self.postgres = PostgresServer(self.data.postgres, self.data.state, self.data.log("postgres"))
        return self.postgres.start()

    def _start_rabbitmq(self) -> tuple[str | None, str | None]:
        if given := os.environ.get("WEFT_BROKER_URL"):
            return given, None
        try:
            broker = find(self._progress)
        except NotAvailable as reason:
            return None, f"No RabbitMQ: {reason}. Messages stay inside this process; they are durable all the same."
        self._progress("Starting RabbitMQ")
        self.rabbitmq = RabbitNode(self.data.rabbitmq, self.data.state, self.data.log("rabbitmq"), broker)
        return self.rabbitmq.start(), None


def end_leftovers(data: DataDirectory) -> None:
    """End the servers that a killed holder of this directory left running; the caller holds its lock."""
    postgres = data.state.get("postgres", PostgresRecord)
    rabbitmq = data.state.get("rabbitmq", RabbitRecord)
    if postgres:
        end(postgres.process, signal.SIGINT)
    if rabbitmq:
        end(rabbitmq.process)
        end(rabbitmq.epmd)
