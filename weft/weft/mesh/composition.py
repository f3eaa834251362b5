"""What each service is told: the same for a service in this process (values) and in one of its own (environment)."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.mesh.records import Address, Installation
from weft.mesh.schemas import urls
from weft.rooms import NAMES
from weft.stack.ports import LOOPBACK

WORKER = "worker"
IN_PROCESS_BUS = "inprocess://weft"


@dataclass(frozen=True, slots=True)
class Composition:
    """One mesh, put together. superuser_url: of its database.  broker_url: None for the bus inside one process."""

    installation: Installation
    superuser_url: str
    broker_url: str | None

    @property
    def public_url(self) -> str:
        """Where people find it."""
        return f"http://{LOOPBACK}:{self.installation.ports['edge']}"

    def address(self, name: str) -> Address:
        """A service's own port."""
        return Address(name=name, url=f"http://{LOOPBACK}:{self.installation.ports[name]}")

    def addresses(self) -> list[Address]:
        """All services' own ports."""
        return [self.address(name) for name in NAMES]

    def values(self, name: str, log_file: Path) -> dict[str, Any]:
        """The settings of a service, or of the worker, by the names of `ServiceSettings`."""
        role = "engine" if name == WORKER else name
        database = urls(self.superuser_url, self.installation.secret_key)[role]
        values: dict[str, Any] = {
            "database_url": database.owner,
            "api_database_url": database.api,
            "broker_url": self.broker_url or IN_PROCESS_BUS,
            "secret_key": self.installation.secret_key,
            "jwks_url": f"{self.address('gateway').url}/.well-known/jwks.json",
            "host": LOOPBACK,
            "port": "0" if name == WORKER else str(self.installation.ports[name]),
            "log_file": str(log_file),
        }
        if role in ("engine", "gateway", "tasks"):
            # Behind a proxy, or from another machine, it is another address, which only who set that up knows.
            values["public_url"] = os.environ.get("WEFT_PUBLIC_URL") or self.public_url
        if name == "gateway":
            values["service_urls"] = {address.name: address.url for address in self.addresses() if address.name != name}
        return values

    def environment(self, name: str, log_file: Path) -> dict[str, str]:
        """The same as environment variables."""
        values = self.values(name, log_file).items()
        return {f"WEFT_{key.upper()}": value if isinstance(value, str) else json.dumps(value) for key, value in values}
