"""What the audit is told of signing in and of API keys. Pure.

Whoever tries to sign in as somebody is nobody until they have: a refusal tells no actor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from weft_contracts.audit import Origin, RecordAudit

from weft_gateway.attempts import LIMITS, Failures
from weft_gateway.domain import ApiKey, Session, User


def signed_in(user: User, session: Session, origin: Origin, how: str = "password") -> RecordAudit:
    """Somebody signed in. how: by what they were known."""
    return _about(user.id, "user.signed_in", origin, by=str(user.id), method=how, session=str(session.id))


def sign_in_refused(user: User, reason: str, refused: int, origin: Origin) -> RecordAudit:
    """Somebody was not let in as a person. reason: `wrong_password`, `inactive`.  refused: how often within the hour, this one too."""
    return _about(user.id, "user.sign_in_refused", origin, reason=reason, refused=refused)


def locked_out(user: User, counted: Iterable[Failures], origin: Origin) -> Iterable[RecordAudit]:
    """Nobody is let in as a person for a while: from that address, or from anywhere that is not known for them."""
    for one in counted:
        if one.kind != "address" and one.count == LIMITS[one.kind].failures:
            where = "address" if one.kind == "pair" else "everywhere"
            yield _about(user.id, "user.locked_out", origin, where=where, until=one.ends_at.isoformat())


def refresh_refused(session: Session, reason: str, origin: Origin) -> RecordAudit:
    """A refresh token was refused. reason: `used_before`, `inactive`, or how the session was over."""
    return _about(session.user_id, "user.refresh_refused", origin, reason=reason, session=str(session.id))


def signed_out(session: Session, origin: Origin) -> RecordAudit:
    """Somebody signed out."""
    return _about(session.user_id, "user.signed_out", origin, by=str(session.user_id), session=str(session.id))


def password_set(user: User) -> RecordAudit:
    """A person was given another password, and is signed out everywhere."""
    return RecordAudit(action="user.password_set", resource_type="user", resource_id=str(user.id), details={"email": user.email})


def key_made(key: ApiKey) -> RecordAudit:
    """An API key was made."""
    return RecordAudit(action="api_key.created", resource_type="api_key", resource_id=str(key.id), after=_key(key))


def key_revoked(was: ApiKey, key: ApiKey) -> RecordAudit:
    """An API key was revoked."""
    return RecordAudit(action="api_key.revoked", resource_type="api_key", resource_id=str(key.id), before=_key(was), after=_key(key))


def _about(user_id: Any, action: str, origin: Origin, *, by: str | None = None, **details: Any) -> RecordAudit:
    return RecordAudit(action=action, resource_type="user", resource_id=str(user_id), details=details, by=by, origin=origin)


def _key(key: ApiKey) -> dict[str, Any]:
    times = {"expires_at": key.expires_at.isoformat(), "revoked": key.revoked_at is not None}
    return {"name": key.name, "roles": list(key.roles), "service": key.service, "owner": key.owner, **times}
