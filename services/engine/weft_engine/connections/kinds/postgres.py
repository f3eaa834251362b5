"""Type `postgres`: a database of which tables are watched."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from weft_engine.connections.kinds.settings import Settings, Wanted

_HOST: Final = r"^[A-Za-z0-9_:](?:[A-Za-z0-9_.:-]{0,251}[A-Za-z0-9_.:])?$"
"""A host's name or an address; no list of them, no path of a socket."""


class PostgresSettings(Settings):
    """How a PostgreSQL database is reached.

    host: a name or an address.  sslmode: as in libpq; `verify-full`, where it is not written, wants a certificate of the host's name that
    is signed by `ca`, or by one of the authorities that the system trusts where there is none.  ca: certificates in PEM form.
    """

    told_sealed: ClassVar[bool] = True

    host: str = Field(pattern=_HOST)
    port: int = Field(default=5432, ge=1, le=65535)
    database: str = Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f\x7f]*$")
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "verify-full"
    ca: str | None = Field(default=None, max_length=100_000)

    @field_validator("ca")
    @classmethod
    def _is_a_certificate(cls, value: str | None) -> str | None:
        if value is not None and ("PRIVATE KEY" in value or "-----BEGIN CERTIFICATE-----" not in value):
            raise PydanticCustomError("not_a_certificate", "certificates of authorities are needed, in PEM form, and no private key")
        return value

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted(("username", "password"), ("username", "password"))

    def sends_to(self) -> str:
        """The server, and how it is made sure that it is the one."""
        return f"{self.sslmode} {self.host.lower()} {self.port} {self.ca or ''}"
