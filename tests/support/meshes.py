"""A whole mesh in a process of its own, as a user starts it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import httpx2
from weft_runtime.testing import until

START_TIMEOUT_S = 200.0
"""Seven processes and two servers start in one of the modes, in some 20 s of computing."""
STOP_TIMEOUT_S = 120.0
INSTALL_WAIT_S = 10.0
"""A publish is answered once everybody who runs workflows has it, also on a busy machine, for which the usual 3 s may be too short."""
KEPT = {
    "WEFT_ALLOW_PRIVATE_ADDRESSES": "true",
    "WEFT_INSTALL_WAIT_S": str(INSTALL_WAIT_S),
    # Tests look again and again, all as the same few people: a thousand looks are half a minute of one that waits on a busy machine.
    "WEFT_PERSON_REQUESTS_PER_HOUR": "1000000",
}
"""How a kept mesh is set up."""
GIVEN = ("WEFT_DATABASE_URL", "WEFT_BROKER_URL")
"""What would have a mesh use other servers than its own."""


class MeshProcess:
    """`weft up` on a data directory. command: what runs before it, to become another user."""

    def __init__(self, data_dir: Path, *options: str, command: tuple[str, ...] = (), environment: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        arguments = [sys.executable, "-u", "-m", "weft", "up", "--data-dir", str(data_dir), *options]
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env={name: value for name, value in os.environ.items() if name not in GIVEN} | dict(environment or {}),
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_until_ready(self) -> MeshProcess:
        """Wait for the last line of the greeting. Raises: AssertionError with what it said instead."""
        while (line := self._lines.get(timeout=START_TIMEOUT_S)) is not None:
            if line.startswith("Ctrl-C"):
                return self
        raise AssertionError("it ended: " + "\n".join(self.said))

    def interrupt(self) -> int:
        """Ctrl-C. Returns: what it exits with."""
        # As a terminal does: to the whole foreground group, of which the servers are no part.
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_TIMEOUT_S)

    def status(self) -> dict[str, Any]:
        """`weft status --json`."""
        found: dict[str, Any] = json.loads(weft("status", "--json", "--data-dir", str(self.data_dir)).stdout)
        return found

    @cached_property
    def known(self) -> dict[str, Any]:
        """What its status was when it was asked for first: the addresses and the people stay what they are."""
        return self.status()

    @property
    def url(self) -> str:
        """Its web address."""
        return str(self.known["url"])

    def signed_in(self, role: str) -> httpx2.Client:
        """A client of the API as the demo tenant's person with a role."""
        person = next(user for user in self.known["demo"]["users"] if role in user["roles"])
        client = httpx2.Client(base_url=f"{self.url}/api/v1", trust_env=False, timeout=40)
        answer = client.post("/auth/login", json={"email": person["email"], "password": person["password"]})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def end(self) -> None:
        """Stop it if it still runs, and whatever it left."""
        if self.process.poll() is None:
            self.interrupt()
        weft("down", "--data-dir", str(self.data_dir))
        # Elsewhere than in the test's folder, when the user that PostgreSQL runs as cannot come in there.
        shutil.rmtree((self.data_dir / "postgres").resolve(), ignore_errors=True)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            self._lines.put(line.rstrip())
        self._lines.put(None)


class KeptMesh:
    """A mesh for all tests that leave it as they found it or bring it down; who wants it up then, starts it again.

    What a test makes in it carries names of the test's own: workflows, keys, labels.
    """

    running: ClassVar[set[KeptMesh]] = set()

    def __init__(self, data_dir: Path, *options: str) -> None:
        self._data_dir = data_dir
        self._options = options
        self._mesh: MeshProcess | None = None

    @classmethod
    def end_all(cls) -> None:
        """Take down those that run; whoever wants one again has it started again."""
        for kept in list(cls.running):
            kept.end()

    def up(self) -> MeshProcess:
        """The mesh, running."""
        if self._mesh is None or self._mesh.process.poll() is not None:
            self._mesh = MeshProcess(self._data_dir, *self._options, environment=KEPT).wait_until_ready()
            self.running.add(self)
        return self._mesh

    def end(self) -> None:
        """Take it down."""
        self.running.discard(self)
        if self._mesh is not None:
            self._mesh.end()
            self._mesh = None


def described(mesh: MeshProcess) -> dict[str, Any]:
    """The description of the whole API, once every service has given its own: one that takes too long is left out, and asked again."""

    def whole() -> dict[str, Any] | None:
        told: dict[str, Any] = httpx2.get(f"{mesh.url}/api/v1/openapi.json", trust_env=False, timeout=40).json()
        return None if told["x-missing"] else told

    return until(whole, "every service describing itself", within_s=120)


def publish(client: httpx2.Client, document: dict[str, Any]) -> dict[str, Any]:
    """A new workflow, once everybody who runs it has it. Its publish waits a while for them, and then says that they have it not yet."""
    created = client.post("/workflows", json={"definition": document, "status": "active"})
    assert created.status_code == 201, created.text
    shown: dict[str, Any] = created.json()
    return shown if shown["installed"] else until(partial(published, client, document["slug"]), f"{document['slug']} being installed")


def published(client: httpx2.Client, slug: str) -> dict[str, Any] | None:
    """A workflow whose newest version is published, None while not everybody who runs it has it."""
    answer = client.post(f"/workflows/{slug}/publish")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown if shown["installed"] else None


def weft(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Another call of the command."""
    return subprocess.run([sys.executable, "-m", "weft", *arguments], capture_output=True, text=True, timeout=180, check=False)
