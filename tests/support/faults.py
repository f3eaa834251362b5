"""Servers of a test's own, to be killed and started again on the same ports."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from weft.stack.postgres import PostgresServer
from weft.stack.rabbitmq import RabbitNode
from weft.stack.rabbitmq_install import find
from weft.stack.state import StateFile

__all__ = ["PostgresServer", "RabbitNode", "private_postgres", "private_rabbitmq"]


@contextmanager
def private_postgres(directory: Path) -> Iterator[PostgresServer]:
    """A started PostgreSQL below `directory`. `server.kill()` is a power cut, `server.start()` brings it back, same `url`."""
    directory.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(directory / "postgres", StateFile(directory / "postgres.json"), directory / "postgres.log")
    server.start()
    try:
        yield server
    finally:
        server.stop()
        # Elsewhere than in the test's folder, when the user that PostgreSQL runs as cannot come in there.
        shutil.rmtree(server.directory.resolve(), ignore_errors=True)


@contextmanager
def private_rabbitmq(directory: Path) -> Iterator[RabbitNode]:
    """A started RabbitMQ below `directory`. `node.kill()` is a power cut, `node.start()` brings it back, same `url()`.

    At the end it is killed: nobody comes back to it, and stopping in good order takes it up to eight seconds.
    """
    directory.mkdir(parents=True, exist_ok=True)
    node = RabbitNode(directory / "rabbitmq", StateFile(directory / "rabbitmq.json"), directory / "rabbitmq.log", find())
    node.start()
    try:
        yield node
    finally:
        node.kill()
