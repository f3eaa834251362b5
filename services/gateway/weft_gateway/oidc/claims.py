"""What an identity provider says of a person: whether it may be believed, and what is made of it here. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from weft_runtime.auth.claims import MAX_GROUPS, MAX_ROLES
from weft_runtime.errors import Forbidden

from weft_gateway.domain import normal_email
from weft_gateway.errors import NotLetIn
from weft_gateway.oidc.providers import Provider

SUBJECT_MAX: Final = 255
"""Characters of a subject. Source: OpenID Connect Core 1.0, section 2."""
TEXT_MAX: Final = 200
_GROUP_MAX: Final = 100
_EMAIL: Final = re.compile(r"[^@\s]{1,250}@[^@\s]{1,69}")


class NotOfUs(Forbidden):
    """A person whom the provider knows and who is none of ours."""

    code = "oidc_not_admitted"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider vouches for. email: "" where it does not say that it is theirs.

    roles, groups: from this sign-in on, None where the provider does not decide them.
    """

    issuer: str
    subject: str
    tenant: str
    email: str
    name: str
    roles: tuple[str, ...] | None
    groups: tuple[str, ...] | None


def check(said: Any, provider: Provider, nonce: str, now: datetime, leeway_s: int, access_token: str | None) -> dict[str, Any]:
    """The claims of an ID token whose signature is good, if they are an answer to what we asked. Raises: NotLetIn.

    access_token: that came with it.  Source: OpenID Connect Core 1.0, sections 3.1.3.7 and 3.1.3.8.
    """
    if not isinstance(said, dict):
        raise NotLetIn("the provider's ID token holds no claims", code="oidc_bad_token")
    meant = said.get("aud")
    audiences = meant if isinstance(meant, list) else [meant]
    at = now.timestamp()
    wrong = {
        "oidc_wrong_issuer": said.get("iss") != provider.issuer,
        "oidc_wrong_audience": provider.client_id not in audiences
        or said.get("azp", provider.client_id) != provider.client_id
        or (len(audiences) > 1 and "azp" not in said),
        "oidc_wrong_nonce": not hmac.compare_digest(str(said.get("nonce", "")).encode(), nonce.encode()),
        "oidc_token_expired": not _is_time(said.get("exp")) or at > said["exp"] + leeway_s,
        "oidc_token_too_early": not _is_time(said.get("iat"))
        or said["iat"] > at + leeway_s
        or ("nbf" in said and (not _is_time(said["nbf"]) or said["nbf"] > at + leeway_s)),
        "oidc_bad_subject": not _is_text(said.get("sub"), SUBJECT_MAX),
        "oidc_other_access_token": "at_hash" in said and said["at_hash"] != _half_hash(access_token or ""),
    }
    for code, is_wrong in wrong.items():
        if is_wrong:
            raise NotLetIn("the provider's ID token is no answer to this sign-in; begin it again", code=code)
    return said


def person_of(said: Mapping[str, Any], provider: Provider) -> Person:
    """What is made of checked claims. Raises: NotOfUs."""
    name = said.get("name")
    return Person(
        issuer=provider.issuer,
        subject=said["sub"],
        tenant=_tenant(said, provider),
        email=_email(said),
        name=name.strip()[:TEXT_MAX] if isinstance(name, str) and "\x00" not in name else "",
        roles=_roles(said, provider),
        groups=_groups(said, provider),
    )


def check_new(person: Person, provider: Provider) -> None:
    """Whether somebody who is new may be taken in. Raises: NotOfUs."""
    if not provider.make_users:
        raise NotOfUs("nobody here is known by this sign-in; ask an administrator of your tenant, or sign in otherwise and link it")
    if not person.email:
        raise NotOfUs("the provider does not say that your e-mail address is yours, without which nobody is taken in", code="oidc_no_email")
    if provider.email_domains and person.email.rpartition("@")[2] not in {one.lower() for one in provider.email_domains}:
        raise NotOfUs("only people with an e-mail address of certain domains are taken in by this sign-in", code="oidc_email_refused")


def _tenant(said: Mapping[str, Any], provider: Provider) -> str:
    if provider.tenant_claim is None:
        return provider.tenant or ""
    found = {provider.tenants[value] for value in _values(said, provider.tenant_claim) if value in provider.tenants}
    if len(found) != 1:
        raise NotOfUs("the provider does not say of which tenant you are, or names several", code="oidc_no_tenant")
    return found.pop()


def _roles(said: Mapping[str, Any], provider: Provider) -> tuple[str, ...] | None:
    if provider.roles_claim is None:
        return None
    given = (role for value in _values(said, provider.roles_claim) for role in provider.roles.get(value, ()))
    return tuple(dict.fromkeys(given))[:MAX_ROLES] or provider.default_roles


def _groups(said: Mapping[str, Any], provider: Provider) -> tuple[str, ...] | None:
    if provider.groups_claim is None:
        return None
    named = _values(said, provider.groups_claim)
    chosen = named if provider.groups is None else [provider.groups[name] for name in named if name in provider.groups]
    return tuple(dict.fromkeys(name for name in chosen if 0 < len(name) <= _GROUP_MAX))[:MAX_GROUPS]


def _email(said: Mapping[str, Any]) -> str:
    """The person's address where the provider says that it is theirs. Some say so in a text."""
    email = said.get("email")
    if said.get("email_verified") not in (True, "true") or not isinstance(email, str) or not _EMAIL.fullmatch(email):
        return ""
    return normal_email(email)


def _values(said: Mapping[str, Any], claim: str) -> list[str]:
    """The texts of a claim: a text, or a list of them; by its whole name, or else by a path of names with dots between."""
    found: Any = said.get(claim)
    if found is None:
        found = said
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [one for one in listed if isinstance(one, str) and "\x00" not in one]


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and "\x00" not in value


def _half_hash(access_token: str) -> str:
    """The left half of an access token's SHA-256, as `at_hash` is with every algorithm that we take."""
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()
