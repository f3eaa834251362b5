"""Settings every service shares, read once from the environment (`WEFT_…`) and frozen. Units are in the names."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from weft_contracts.routing import DEFAULT_PARTITIONS


class ServiceSettings(BaseSettings):
    """What each service needs to run. A service subclasses it with its own fields.

    database_url: PostgreSQL, as a superuser-made owner role of the service's schema (`postgresql://<service>:…@host:port/db`).
    api_database_url: the same database as the `<service>_api` role, which row-level security holds to one tenant.
    broker_url: `amqp://…`, or `inprocess://` for the bus inside one process.
    jwks_url: where the gateway's public keys are; issuer and audience are what tokens must name.
    """

    model_config = SettingsConfigDict(env_prefix="WEFT_", frozen=True, extra="ignore")

    database_url: SecretStr
    api_database_url: SecretStr
    broker_url: SecretStr = SecretStr("inprocess://")
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535, description="Of this service's own door; 0 takes a free one.")
    partitions: int = Field(default=DEFAULT_PARTITIONS, ge=1, le=1024)
    jwks_url: str = ""
    issuer: str = "weft"
    audience: str = "weft"
    jwt_leeway_s: int = Field(default=30, ge=0, le=300)
    secret_key: SecretStr = Field(description="Signs cursors and other opaque tokens; the same in every process, at least 32 bytes.")
    secret_keys_before: tuple[SecretStr, ...] = Field(
        default=(), description='Earlier secret keys: `["…"]`. What they sealed and signed still opens; nothing is sealed by them.'
    )
    person_requests_per_hour: int = Field(default=1000, ge=1)
    key_requests_per_hour: int = Field(default=360_000, ge=1)
    requests_per_hour_by_tenant: dict[str, dict[str, int]] = Field(
        default_factory=dict, description='Other limits for some tenants: `{"acme": {"person": 5000, "key": 1000000}}`.'
    )
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description='Whose `X-Forwarded-For` is believed: `["10.0.0.0/8"]`. Behind a proxy that is not named, everybody has its address.',
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description='Whose pages may open WebSockets beside those of our own address: `["https://app.example"]`.'
    )
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)
    otlp_endpoint: str = Field(default="", description="Where spans go, OTLP over HTTP; empty: nowhere.")
    trace_ratio: float = Field(default=0.01, ge=0, le=1, description="Share of new traces that are sampled.")
    log_level: str = "INFO"
    log_file: Path | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The installation's secret keys, the newest first: it seals and signs; all of them open."""
        return tuple(key.get_secret_value() for key in (self.secret_key, *self.secret_keys_before))
