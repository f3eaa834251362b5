"""Signing in to a service by OAuth 2.0: what is asked of it, and when its answer is taken. Pure. Source: RFC 6749, RFC 7636, RFC 9700."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from weft_connectors.signing_in import Answered
from weft_contracts.routing import TENANT_MAX_LENGTH, TENANT_PATTERN
from weft_runtime.errors import Malformed

from weft_engine.connections.kinds.settings import SignIn

LASTS: Final = timedelta(minutes=10)
CALLBACK: Final = "/api/v1/oauth/callback"
_STATE: Final = re.compile(rf"({TENANT_PATTERN})~([0-9a-f]{{32}})~([A-Za-z0-9_-]{{43}})")


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that waits for its answer. It is used once, whatever comes of it.

    state_hash, browser_hash: of the state that comes back and of the cookie of the browser that began it.  verifier: sealed.
    version: of the connection when it began.  redirect_uri: where the answer comes, exactly.
    """

    connection_id: UUID
    state_hash: str
    browser_hash: str
    verifier: str
    version: int
    redirect_uri: str
    asked_by: str | None
    expires_at: datetime


def state_of(tenant: str, connection_id: UUID, chance: str) -> str:
    """The state that a service hands back: where it belongs, and 32 bytes of chance that nobody else knows."""
    return f"{tenant}~{connection_id.hex}~{chance}"


def place_of(state: str | None) -> tuple[str, UUID]:
    """(tenant, connection) that a state says it is of; whether it is, its hash tells. Raises: Malformed."""
    found = _STATE.fullmatch(state or "")
    if found is None or len(found.group(1)) > TENANT_MAX_LENGTH:
        raise unknown_state()
    return found.group(1), UUID(found.group(3))


def hash_of(text: str) -> str:
    """What is kept of a text that only its holder may know."""
    return hashlib.sha256(text.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """PKCE's challenge, S256. Source: RFC 7636, 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def cookie_of(connection_id: UUID) -> str:
    """The name of the cookie of a connection's sign-in: several may go on in one browser."""
    return f"weft_oauth_{connection_id.hex}"


def authorize_url(sign_in: SignIn, state: str, verifier: str, redirect_uri: str) -> str:
    """Where the browser goes to let us in."""
    asked = {
        "response_type": "code",
        "client_id": sign_in.client_id,
        "scope": sign_in.scope,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    return f"{sign_in.authorize_url}?{urlencode(asked)}"


def check_answer(begun: Begun, browser: str | None, answer: Answered, issuer: str, now: datetime) -> str:
    """The code of an answer that may be taken. browser: its cookie.  issuer: whom it has to be of where it says so. Raises: Malformed.

    Source: RFC 9207, for the issuer.
    """
    if browser is None or not hmac.compare_digest(hash_of(browser), begun.browser_hash):
        message = "this sign-in was begun in another browser; begin it again in this one"
        raise not_taken("oauth_other_session", message)
    if now >= begun.expires_at:
        raise not_taken("oauth_expired", f"this sign-in was begun more than {LASTS.seconds // 60} minutes ago; begin it again")
    if answer.issuer is not None and answer.issuer.rstrip("/") != issuer:
        raise not_taken("oauth_other_issuer", f"the answer is not of {issuer}, where this sign-in was begun")
    if answer.error is not None:
        raise not_taken("oauth_denied", f"the service did not let us in: {re.sub('[^A-Za-z0-9_. -]', '?', answer.error)[:100]}")
    if not answer.code:
        raise not_taken("oauth_no_code", "the service's answer holds no code; begin the sign-in again")
    return answer.code


def not_taken(code: str, message: str) -> Malformed:
    """The error of an answer that is not taken: nothing was stored. code: why, stable."""
    return Malformed(message, code=code)


def unknown_state() -> Malformed:
    """What is said of a state that is none of ours, was used, or was followed by a later one: nobody is told which."""
    return not_taken("oauth_state_invalid", "no sign-in waits for this answer: it was used, or begun again since; begin it again")
