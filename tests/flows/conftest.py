"""A whole mesh as its users have it: `weft up` in a data directory of its own, spoken to over HTTP alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from weft_runtime.testing import until

UP_S = 200.0
"""Seven processes and two servers start in one of the modes, in some 20 s of computing."""
READY = "Ctrl-C"
"""The last line that `weft up` says begins so."""


@dataclass
class Mesh:
    """A running mesh. status: what `weft status --json` says."""

    status: dict[str, Any]

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.status["url"])

    def signed_in(self, role: str) -> httpx2.Client:
        """A client of the demo tenant's person with a role."""
        person = next(user for user in self.status["demo"]["users"] if role in user["roles"])
        client = httpx2.Client(base_url=f"{self.url}/api/v1", trust_env=False, timeout=30)
        answer = client.post("/auth/login", json={"email": person["email"], "password": person["password"]})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client


def publish(client: httpx2.Client, document: dict[str, Any]) -> dict[str, Any]:
    """A new workflow, once everybody who runs it has it. Its publish waits 3 s for them, and then says that they have it not yet."""
    created = client.post("/workflows", json={"definition": document, "status": "active"})
    assert created.status_code == 201, created.text

    def installed() -> dict[str, Any] | None:
        shown: dict[str, Any] = client.post(f"/workflows/{document['slug']}/publish").json()
        return shown if shown["installed"] else None

    shown: dict[str, Any] = created.json()
    return shown if shown["installed"] else until(installed, f"{document['slug']} being installed")


def weft(data_dir: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a `weft` command against a data directory."""
    command = [sys.executable, "-m", "weft", *args, "--data-dir", str(data_dir)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module", params=[(), ("--processes",)], ids=["one process", "one process per service"])
def mesh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """A mesh, up in one of its two modes; down at the end."""
    data_dir = tmp_path_factory.mktemp("mesh")
    data_dir.chmod(0o755)
    log = data_dir / "up.log"
    environment = {name: value for name, value in os.environ.items() if name not in ("WEFT_DATABASE_URL", "WEFT_BROKER_URL")}
    environment["WEFT_ALLOW_PRIVATE_ADDRESSES"] = "true"
    command = [sys.executable, "-u", "-m", "weft", "up", "--data-dir", str(data_dir), *request.param]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:

        def healthy() -> dict[str, Any] | None:
            assert process.poll() is None, f"weft up ended: {log.read_text()[-3000:]}"
            if READY not in log.read_text():  # asked all the while, `weft status` would take a processor from what starts
                return None
            told = weft(data_dir, "status", "--json").stdout
            status: dict[str, Any] = json.loads(told) if told.strip().startswith("{") else {}
            services = status.get("services") or []
            return status if status.get("demo") and services and all(service["healthy"] for service in services) else None

        status = until(healthy, f"a healthy mesh (see {log})", within_s=UP_S)
        yield Mesh(status)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
