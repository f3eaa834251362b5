"""An issuer of tokens for tests: anybody, any tenant, any roles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from weft_runtime.auth.published import LocalSource
from weft_runtime.auth.signing import Claims, SigningKey, SigningKeys
from weft_runtime.clock import Clock, SystemClock, new_id


class TestIssuer:
    """Signs tokens with a key of its own and publishes it in memory."""

    __test__ = False

    def __init__(self, clock: Clock | None = None, *, issuer: str = "weft", audience: str = "weft") -> None:
        self.clock = clock or SystemClock()
        self.keys = SigningKeys(SigningKey.generate(), issuer=issuer, audience=audience)
        self.revoked: set[str] = set()
        self.lowered: dict[str, Sequence[str]] = {}
        self.source = LocalSource(self._published, self._revoked, self.lowered)

    def _published(self) -> dict[str, Any]:
        # Asked anew each time, so that a test can rotate `keys`.
        return self.keys.jwks()

    async def _revoked(self) -> set[str]:
        return self.revoked

    def token(
        self,
        tenant: str = "acme",
        roles: Sequence[str] = ("admin",),
        *,
        sub: str = "00000000-0000-7000-8000-000000000001",
        groups: Sequence[str] = (),
        email: str = "",
        name: str = "",
        tier: str = "standard",
        lifetime: timedelta = timedelta(hours=1),
        token_id: str | None = None,
    ) -> str:
        """An access token."""
        claims = Claims(sub, tenant, tuple(roles), tuple(groups), tier=tier, email=email, name=name)
        return self.keys.token(claims, self.clock.now(), lifetime, token_id=token_id)

    def api_key(
        self,
        tenant: str = "acme",
        roles: Sequence[str] = ("service",),
        *,
        sub: str = "key-1",
        owner: str = "",
        token_id: str | None = None,
    ) -> str:
        """An API key. owner: who made it."""
        claims = Claims(sub, tenant, tuple(roles), owner=owner)
        return self.keys.api_key(claims, self.clock.now(), timedelta(days=365), token_id=token_id or str(new_id()))

    def headers(self, tenant: str = "acme", roles: Sequence[str] = ("admin",), **claims: Any) -> dict[str, str]:
        """The Authorization header with an access token."""
        return {"Authorization": f"Bearer {self.token(tenant, roles, **claims)}"}
