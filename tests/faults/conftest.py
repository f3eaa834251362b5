"""Servers of this folder's own, to be killed and started again, and databases that begin as an engine's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

pytest.register_assert_rewrite("tests.faults.mesh", "tests.faults.verdict")

from tests.support.faults import PostgresServer, RabbitNode, private_postgres, private_rabbitmq  # noqa: E402  after the line above it, which must come first
from tests.support.isolation import SharedStack  # noqa: E402


@pytest.fixture(scope="module")
def database_url(stack: SharedStack) -> Iterator[str]:
    """A superuser's address of a fresh database that has the engine's schema."""
    url = stack.new_database("engine")
    yield url
    stack.drop_database(url)


@dataclass
class Servers:
    """A private PostgreSQL and RabbitMQ."""

    postgres: PostgresServer
    rabbitmq: RabbitNode


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both, running."""
    database, broker = private_postgres(tmp_path_factory.mktemp("pg")), private_rabbitmq(tmp_path_factory.mktemp("mq"))
    with ExitStack() as ending:
        with ThreadPoolExecutor(2) as side_by_side:
            postgres = side_by_side.submit(ending.enter_context, database)
            rabbitmq = side_by_side.submit(ending.enter_context, broker)
        yield Servers(postgres.result(), rabbitmq.result())
