"""What is remembered of a mesh in its data directory."""

import secrets

from pydantic import BaseModel

from weft.rooms import NAMES
from weft.stack import ports
from weft.stack.data_dir import DataDirectory
from weft.stack.processes import ProcessMark

PUBLIC_PORT = 8080
# The log of all services together, when they are in one process.
LOG = "weft"


class Installation(BaseModel):
    """What stays the same from run to run. secret_key: signs tokens and derives passwords.  ports: by service, and `edge`."""

    secret_key: str
    ports: dict[str, int] = {}

    @classmethod
    def of(cls, data: DataDirectory) -> "Installation":
        """The data directory's, made on the first call."""
        known = data.state.get("installation", cls)
        if known is None:
            known = cls(secret_key=secrets.token_urlsafe(48))
            data.state.put("installation", known)
        return known

    def with_ports(self, data: DataDirectory, edge_port: int | None) -> "Installation":
        """The same with ports that are free now: the former ones where they are.

        edge_port: asked for by the user and taken as it is; otherwise 8080 when it is free, else the former, else any.
        """
        chosen: dict[str, int] = {}
        for name in NAMES:
            chosen[name] = ports.choose(self.ports.get(name), avoid=chosen.values())
        preferred = PUBLIC_PORT if ports.is_free(PUBLIC_PORT) else self.ports.get("edge")
        chosen["edge"] = edge_port or ports.choose(preferred, avoid=chosen.values())
        settled = self.model_copy(update={"ports": chosen})
        data.state.put("installation", settled)
        return settled


class Person(BaseModel):
    """Someone of the demo tenant. password: for this machine only."""

    email: str
    password: str
    roles: list[str]


class Demo(BaseModel):
    """The demo tenant."""

    tenant: str
    users: list[Person]


class Address(BaseModel):
    """Where a service's own port is."""

    name: str
    url: str


class Mesh(BaseModel):
    """A mesh that was started. holder: the process of `weft up`.  broker_url: None inside one process."""

    url: str
    database_url: str
    broker_url: str | None
    processes: bool
    services: list[Address]
    holder: ProcessMark


class Children(BaseModel):
    """The processes that `weft up --processes` started."""

    marks: dict[str, ProcessMark] = {}
