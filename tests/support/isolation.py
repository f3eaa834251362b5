"""A stack for tests, and a database and vhost of its own for each module."""

import os
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from weft.stack.rabbitmq import RabbitNode
from weft.stack.shared import PREFIX, Membership
from weft.stack.sql import execute, with_database
from weft.stack.stack import Running

from tests.support.templates import template_of

REPOSITORY = Path(__file__).resolve().parents[2]
# A call to the broker's control program computes for a second, so vhosts are made, and removed, for several modules at once.
VHOSTS_AT_ONCE = 8


class Broker(Protocol):
    """What makes and removes vhosts."""

    def url(self, vhost: str) -> str: ...
    def add_vhosts(self, names: list[str]) -> None: ...
    def delete_vhosts(self, names: list[str]) -> None: ...


@dataclass
class SharedStack:
    """The running servers and the means to isolate a module on them."""

    database_url: str
    broker: Broker | None
    given_broker_url: str | None = None
    notice: str | None = None
    _templates: dict[str, str] = field(default_factory=dict)
    _ready: list[str] = field(default_factory=list)
    _left: list[str] = field(default_factory=list)
    _background: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _deleting: list[Future[None]] = field(default_factory=list)

    def new_database(self, room: str = "") -> str:
        """A fresh database's superuser address. room: whose schema it has already; empty without."""
        name = f"{PREFIX}_{uuid.uuid4().hex[:12]}"
        like = f' TEMPLATE "{self._template_of(room)}"' if room else ""
        execute(self.database_url, f'CREATE DATABASE "{name}"{like}')
        return with_database(self.database_url, name)

    def _template_of(self, room: str) -> str:
        if room not in self._templates:
            self._templates[room] = template_of(self.database_url, room)
        return self._templates[room]

    def drop_database(self, url: str) -> None:
        """Remove what `new_database` made, with whoever is still connected, in the background: PostgreSQL writes down all it has first."""
        statement = f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)'
        self._deleting.append(self._background.submit(execute, self.database_url, statement))

    def new_vhost(self) -> str:
        """A fresh vhost's address; a broker given by WEFT_BROKER_URL is used as it is."""
        if self.broker is None:
            if self.given_broker_url is None:
                raise RuntimeError(f"This test needs RabbitMQ. {self.notice}")
            return self.given_broker_url
        if not self._ready:
            names = [f"{PREFIX}-{uuid.uuid4().hex[:12]}" for _ in range(VHOSTS_AT_ONCE)]
            self.broker.add_vhosts(names)
            self._ready = names  # not before: what could not be made is not to be given to the next module
        return self.broker.url(self._ready.pop())

    def drop_vhost(self, url: str) -> None:
        """Remove what `new_vhost` made, in the background, once there are several of them."""
        self._left.append(url.rsplit("/", 1)[1])
        if self.broker is not None and len(self._left) >= VHOSTS_AT_ONCE:
            self._deleting.append(self._background.submit(self.broker.delete_vhosts, self._left))
            self._left = []

    def close(self) -> None:
        """Remove what was made in advance or is left, and wait for what is being removed."""
        if self.broker is not None and (self._ready or self._left):
            self.broker.delete_vhosts([*self._ready, *self._left])
        self._background.shutdown(wait=True)
        for done in self._deleting:
            done.result()


def local_stack(member: Membership) -> SharedStack:
    """Join the stack that all test runs of this working copy share, starting it if nobody did."""
    running: Running = member.join()
    own_broker: RabbitNode | None = None
    if running.broker_url and not os.environ.get("WEFT_BROKER_URL"):
        own_broker = member.node()
    return SharedStack(running.database_url, own_broker, running.broker_url, running.notice)


def data_dir() -> Path:
    """Where the shared stack lives."""
    return Path(os.environ.get("WEFT_TEST_DATA_DIR", REPOSITORY / ".weft-test"))
