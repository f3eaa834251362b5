"""The gateway's settings, read once from the environment (`WEFT_…`) and frozen."""

from __future__ import annotations

from pydantic import Field, model_validator
from weft_runtime.settings import ServiceSettings

from weft_gateway.oidc.providers import Name, Provider


class Settings(ServiceSettings):
    """What the gateway needs beside what every service needs."""

    access_token_minutes: int = Field(default=15, ge=1, le=60, description="How long an access token is good.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:_\-\[\]]{1,250}$",
        description="Where browsers reach this installation, such as https://weft.example: where identity providers answer.",
    )
    oidc: dict[Name, Provider] = Field(
        default_factory=dict,
        description='Identity providers by name: `{"acme": {"issuer": "https://…", "client_id": "…", "tenant": "acme"}}`.',
    )
    allow_private_addresses: bool = Field(default=False, description="Let identity providers be at private addresses, and without TLS.")
    session_days: int = Field(default=30, ge=1, le=365, description="How long after a sign-in the next one is needed.")
    service_urls: dict[str, str] = Field(
        default_factory=dict, description='Where each service\'s own door is, for the merged API description: `{"tasks": "http://…"}`.'
    )
    openapi_ttl_s: float = Field(default=30, ge=0, description="Seconds the merged description is served before it is asked for anew.")
    live_connections: int = Field(default=1000, ge=1, description="Live connections this process holds at most.")
    live_connections_per_tenant: int = Field(default=200, ge=1)
    live_connections_per_person: int = Field(default=20, ge=1, description="Or API key.")
    live_queues_s: float = Field(default=5, gt=0, description="Seconds between two looks at what waits in queues while somebody watches.")
    shared_queues: tuple[str, ...] | None = Field(
        default=None, description="As for the engine: the pools of the installation, whose queues operators are shown."
    )
    live_poll_s: float = Field(default=0.25, gt=0, description="Seconds between two looks at the feed while somebody watches.")
    live_kept_minutes: int = Field(default=15, ge=6, description="How long facts are kept for a connection that comes back.")
    live_heartbeat_s: float = Field(default=15, gt=0, description="Seconds of silence after which a live connection says that it is alive.")

    @model_validator(mode="after")
    def _answers_come_somewhere(self) -> Settings:
        if self.oidc and self.public_url is None:
            raise ValueError("WEFT_OIDC needs WEFT_PUBLIC_URL: identity providers send browsers back to it")
        return self
