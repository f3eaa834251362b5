"""The claims of a token whose signature is good: checked, and made a caller."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from weft_runtime.auth.caller import Caller
from weft_runtime.errors import Unauthenticated

MAX_ROLES = 64
MAX_GROUPS = 500
_TENANT = re.compile(r"[a-z0-9](-?[a-z0-9])*")


@dataclass(frozen=True, slots=True)
class Verified:
    """Who a token names and when it is good. not_before, expires: seconds since 1970.  generation: of the keys that verified it."""

    caller: Caller
    not_before: float
    expires: float
    generation: int


def bad_token() -> Unauthenticated:
    """The one answer for everything that is no token of ours, so that an attacker learns nothing from it."""
    return Unauthenticated("the token is not one of ours or was changed; sign in again", code="bad_token")


def check(claims: Any, *, issuer: str, audience: str, is_key: bool, generation: int) -> Verified:
    """The caller of verified claims.

    is_key: whether the token came with an API key's prefix; its `typ` claim must agree.
    Raises: Unauthenticated with the code bad_token, wrong_issuer or wrong_audience.
    """
    if not isinstance(claims, dict):
        raise bad_token()
    meant_for = claims.get("aud")
    if claims.get("iss") != issuer:
        raise Unauthenticated("the token comes from another issuer; sign in here", code="wrong_issuer")
    if audience not in (meant_for if isinstance(meant_for, list) else [meant_for]):
        raise Unauthenticated("the token is meant for another service; sign in here", code="wrong_audience")
    if claims.get("typ", "access") != ("key" if is_key else "access"):
        raise bad_token()
    caller = Caller(
        sub=_text(claims, "sub", 200),
        tenant=_tenant(claims),
        roles=_texts(claims, "roles", MAX_ROLES),
        groups=_texts(claims, "groups", MAX_GROUPS),
        tier=_text(claims, "tier", 63, default="standard"),
        kind="key" if is_key else "person",
        email=_text(claims, "email", 320, default=""),
        name=_text(claims, "name", 320, default=""),
        token_id=_text(claims, "jti", 200, default=""),
        owner=_text(claims, "owner", 200, default="") if is_key else "",
    )
    return Verified(caller, _time(claims, "nbf", 0), _time(claims, "exp", None), generation)


def _text(claims: dict[str, Any], name: str, longest: int, default: str | None = None) -> str:
    value = claims.get(name, default)
    if not isinstance(value, str) or len(value) > longest or "\x00" in value or (default is None and not value):
        raise bad_token()
    return value


def _texts(claims: dict[str, Any], name: str, most: int) -> tuple[str, ...]:
    values = claims.get(name, [])
    if not isinstance(values, list) or len(values) > most or not all(isinstance(value, str) and "\x00" not in value for value in values):
        raise bad_token()
    return tuple(values)


def _tenant(claims: dict[str, Any]) -> str:
    tenant = _text(claims, "tenant", 63)
    if not _TENANT.fullmatch(tenant):
        raise bad_token()
    return tenant


def _time(claims: dict[str, Any], name: str, default: float | None) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e11:
        raise bad_token()
    return float(value)
