"""Servers of this folder's own, to be killed and started again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

pytest.register_assert_rewrite("tests.faults.mesh", "tests.faults.verdict")

from tests.support.faults import PostgresServer, RabbitNode, private_postgres, private_rabbitmq  # noqa: E402  after the line above it, which must come first


@dataclass
class Servers:
    """A private PostgreSQL and RabbitMQ."""

    postgres: PostgresServer
    rabbitmq: RabbitNode


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Both, running."""
    with private_postgres(tmp_path_factory.mktemp("pg")) as postgres, private_rabbitmq(tmp_path_factory.mktemp("mq")) as rabbitmq:
        yield Servers(postgres, rabbitmq)
