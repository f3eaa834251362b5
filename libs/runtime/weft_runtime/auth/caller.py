"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from weft_runtime.auth.permissions import Permission, permissions_of


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or an API key, as a verified token names them, and the request they ask with.

    sub: the user's id (a UUID as text), or the key's.  tenant: whose data they may see.  tier: of the tenant.
    kind: how they are counted and limited.  request_id: of this request, also in the log.  ip: where it came from, "" when unknown.
    token_id: the token's `jti`, "" where it has none.  owner: of a key: the id of the person who made it, "" where it tells none.
    """

    sub: str
    tenant: str
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    tier: str = "standard"
    kind: Literal["person", "key"] = "person"
    email: str = ""
    name: str = ""
    request_id: str = ""
    ip: str = ""
    token_id: str = ""
    owner: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether one of the caller's roles allows it."""
        return permission in permissions_of(self.roles)
