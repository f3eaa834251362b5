"""The same servers from container images, for whoever asks with WEFT_TEST_CONTAINERS=1."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.isolation import SharedStack


def docker_answers() -> bool:
    """Whether a Docker engine can be used here."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False).returncode == 0


class ContainerBroker:
    """Vhosts on RabbitMQ in a container."""

    def __init__(self, container: object, host: str, port: int) -> None:
        self._container = container
        self._address = f"amqp://guest:guest@{host}:{port}/"

    def url(self, vhost: str) -> str:
        return self._address + vhost

    def add_vhosts(self, names: list[str]) -> None:
        for name in names:
            self._control("add_vhost", name)
            self._control("set_permissions", "-p", name, "guest", ".*", ".*", ".*")

    def delete_vhosts(self, names: list[str]) -> None:
        for name in names:
            self._control("delete_vhost", name)

    def _control(self, *arguments: str) -> None:
        code, output = self._container.exec(["rabbitmqctl", "-q", *arguments])  # type: ignore[attr-defined]
        assert code == 0, output.decode(errors="replace")


@contextmanager
def container_stack() -> Iterator[SharedStack]:
    """PostgreSQL and RabbitMQ in containers, for one test process."""
    from testcontainers.postgres import PostgresContainer
    from testcontainers.rabbitmq import RabbitMqContainer

    with (
        PostgresContainer("postgres:18-alpine", username="weft", dbname="postgres", driver=None) as database,
        RabbitMqContainer("rabbitmq:4-alpine") as broker,
    ):
        host, port = broker.get_container_host_ip(), int(broker.get_exposed_port(5672))
        yield SharedStack(database.get_connection_url(), ContainerBroker(broker, host, port))
