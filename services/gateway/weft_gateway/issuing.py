"""The issuer: signs access tokens and API keys with the current key, publishes what others verify them with, rotates the keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, cast

from weft_runtime.auth import Claims, SigningKeys
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Unavailable
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import ApiKey, Tenant, key_claims
from weft_gateway.keyring import Vault, key_set
from weft_gateway.settings import Settings
from weft_gateway.store import keys, sessions

REVOKED_MAX: Final = 5000
"""Ids on the revocation list at most, of each kind: at 39 bytes each, and some roles, it stays below what verifiers read."""
REDUCED_MAX: Final = REVOKED_MAX // 4
"""Of these, access tokens of people whose roles were taken: for a quarter of an hour, and few."""


class Issuer:
    """Gives out tokens. It is also the source of keys and revocations of the gateway's own door, so that it asks nobody over HTTP."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = cast(Settings, context.settings)
        self._vault = Vault(*self._settings.secrets)
        self._signing: SigningKeys | None = None

    @property
    def access_lifetime(self) -> timedelta:
        """How long an access token is good."""
        return timedelta(minutes=self._settings.access_token_minutes)

    @property
    def session_lifetime(self) -> timedelta:
        """How long a sign-in can be refreshed."""
        return timedelta(days=self._settings.session_days)

    async def refresh(self) -> None:
        """Take up the newest key; make one where there is none or it has signed long enough. Raises: KeyLocked, Unavailable."""
        async with self._context.owner_transaction() as uow:
            await ensure_key(uow, self._vault)
            newest = (await keys.published(uow))[0]
        current = self._signing.current if self._signing else None
        if current is None or current.kid != newest.kid:
            self._signing = SigningKeys(self._vault.open(newest), issuer=self._settings.issuer, audience=self._settings.audience)

    def access_token(self, claims: Claims, uow: UnitOfWork, token_id: str) -> str:
        """A signed access token. token_id: its `jti`. Raises: Unavailable before the first `refresh`."""
        return self._keys().token(claims, uow.now, self.access_lifetime, token_id=token_id)

    def api_key(self, key: ApiKey, tenant: Tenant) -> str:
        """The secret of an API key, which is kept nowhere."""
        return self._keys().api_key(key_claims(key, tenant), key.created_at, key.expires_at - key.created_at, token_id=str(key.id))

    async def keys(self) -> dict[str, Any]:
        """The JWKS document."""
        async with self._context.owner_transaction() as uow:
            return key_set(await keys.published(uow), uow.now)

    async def revoked(self) -> dict[str, Any]:
        """`{"revoked": [token ids], "lowered": {key id: [roles]}}`, of tokens that are good otherwise.

        revoked: API keys taken back or at rest; access tokens whose session ended, and those that tell roles or groups which were taken
        from their person since, for which a new one is had by the refresh token.  lowered: API keys, with what their owners may.
        """
        leeway = timedelta(seconds=self._settings.jwt_leeway_s)
        async with self._context.owner_transaction() as uow:
            taken_back = await keys.revoked_api_keys(uow, expires_after=uow.now - leeway, limit=REVOKED_MAX)
            lowered = await keys.lowered_api_keys(uow, expires_after=uow.now - leeway, limit=REVOKED_MAX)
            reduced = await sessions.reduced_access(uow, given_after=uow.now - leeway - self.access_lifetime, limit=REDUCED_MAX)
            ended = await sessions.revoked_access(uow, given_after=uow.now - leeway - self.access_lifetime, limit=REVOKED_MAX)
        return {"revoked": sorted({*taken_back, *ended, *reduced}), "lowered": dict(sorted(lowered.items()))}

    def _keys(self) -> SigningKeys:
        if self._signing is None:
            raise Unavailable("the gateway has no signing key yet; try again shortly", code="issuer_unavailable", retry_after_s=1)
        return self._signing


async def ensure_key(uow: UnitOfWork, vault: Vault) -> None:
    """See to it that there is a signing key that has not signed too long. Several gateways may do so at once."""
    if _due(await keys.published(uow), uow):
        await keys.lock_rotation(uow)
        if _due(await keys.published(uow), uow):
            await keys.add_signing_key(uow, vault.make(uow.now))


def _due(found: list[Any], uow: UnitOfWork) -> bool:
    return not found or found[0].due(uow.now)


def issuer_of(context: ServiceContext) -> Issuer:
    """The issuer of a running gateway, made when first asked for."""
    try:
        return context.part(Issuer)
    except LookupError:
        issuer = Issuer(context)
        context.attach(issuer)
        return issuer
