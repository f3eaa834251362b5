"""The identity providers of an installation, as an operator describes them in `WEFT_OIDC`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from weft_contracts.routing import TENANT_MAX_LENGTH, TENANT_PATTERN

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""What a provider is called in addresses."""
TenantId = Annotated[str, Field(pattern=f"^{TENANT_PATTERN}$", max_length=TENANT_MAX_LENGTH)]


class Provider(BaseModel):
    """An identity provider, and what is made of what it says of a person.

    issuer: exactly as its tokens name it.  client_secret: None where it gave none, and PKCE alone proves who asks.
    tenant: everybody's who signs in by it; or `tenant_claim`, whose value is looked up in `tenants`.
    roles_claim: its values are looked up in `roles`, and what is found is what a person has from each sign-in on; without it a new person
    has `default_roles`, and keeps what an administrator gives them.  groups_claim: alike; its values are looked up in `groups`, or taken as
    they are where that is not given.  A claim's name may be a path: `realm_access.roles`.
    make_users: whether a person who is new is taken in.  email_domains: only with an address of one of these; any when empty.
    session_hours: how long after a sign-in the next one is needed; as for passwords when not given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(max_length=500)
    client_id: str = Field(min_length=1, max_length=500)
    client_secret: SecretStr | None = None
    label: str = Field(default="", max_length=100, description="What people are shown.")
    scopes: str = Field(default="openid email profile", max_length=1000)
    tenant: TenantId | None = None
    tenant_claim: str | None = None
    tenants: dict[str, TenantId] = Field(default_factory=dict)
    roles_claim: str | None = None
    roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    default_roles: tuple[str, ...] = ("viewer",)
    groups_claim: str | None = None
    groups: dict[str, str] | None = None
    make_users: bool = True
    email_domains: tuple[str, ...] = ()
    session_hours: int | None = Field(default=None, ge=1, le=8760)

    @field_validator("issuer")
    @classmethod
    def _an_address(cls, given: str) -> str:
        parts = urlsplit(given)
        if parts.scheme not in ("https", "http") or not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("issuer must be an address such as https://login.example, without a query")
        return given

    @field_validator("scopes")
    @classmethod
    def _with_openid(cls, given: str) -> str:
        if "openid" not in given.split():
            raise ValueError("scopes must name openid, or the provider tells nobody")
        return given

    @model_validator(mode="after")
    def _one_tenant(self) -> Provider:
        if (self.tenant is None) == (self.tenant_claim is None):
            raise ValueError("give tenant, or tenant_claim with tenants, and not both")
        if self.tenant_claim is not None and not self.tenants:
            raise ValueError("tenants must say which tenant each value of tenant_claim is")
        return self
