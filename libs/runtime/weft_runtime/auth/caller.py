"""Who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from weft_runtime.auth.permissions import Permission, kept_roles, permissions_of


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or an API key, as a verified token names them, and the request they ask with.

    sub: the user's id (a UUID as text), or the key's.  tenant: whose data they may see.  tier: of the tenant.
    kind: how they are counted and limited.  request_id: of this request, also in the log.  ip: where it came from, "" when unknown.
    token_id: the token's `jti`, "" where it has none.  owner: of a key: the id of the person who made it, "" where it tells none.
    lowered: of a key whose owner may do less than its roles allow: what it may do, which its roles do not tell then.
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
    lowered: frozenset[Permission] | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything the caller may do."""
        return permissions_of(self.roles) if self.lowered is None else self.lowered

    def may(self, permission: Permission) -> bool:
        """Whether the caller may do this."""
        return permission in self.permissions

    def lowered_to(self, owner_roles: Sequence[str]) -> Caller:
        """A key as it acts while its owner has these roles: by what both it and they allow, and by those of its roles that hold."""
        allowed = self.permissions & permissions_of(owner_roles)
        return replace(self, roles=kept_roles(self.roles, owner_roles), lowered=allowed)
