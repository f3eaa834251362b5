"""Tokens verified: signature by the issuer's published keys, algorithm from an allow-list, issuer, audience, times, revocation."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections import OrderedDict
from collections.abc import Collection, Container, Sequence
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from weft_runtime.auth import claims, keyset
from weft_runtime.auth.caller import Caller
from weft_runtime.auth.claims import Verified, bad_token
from weft_runtime.auth.keyset import ALGORITHMS, PublicKey
from weft_runtime.auth.published import Fresh, Revocations, Source, revocations
from weft_runtime.auth.signing import API_KEY_PREFIX
from weft_runtime.clock import Clock
from weft_runtime.errors import Unauthenticated

MAX_TOKEN_BYTES = 8192
KEYS_TTL_S = 300.0
REVOKED_TTL_S = 5.0
REFRESH_PAUSE_S = 1.0
"""The least time between two readings of the key set that unknown key ids cause."""

_CACHED_TOKENS = 4096
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SENDERS_KEY = {"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip"}
"""Header members that would bring a key of the sender's choice, or an extension we do not know."""


def read_header(raw: str, algorithms: Container[str], *, passing: Collection[str] = ()) -> tuple[str, str]:
    """The key id and the algorithm that a compact JWS names, one of `algorithms`.

    passing: members that are passed over, of those for which it is refused otherwise.  Raises: Unauthenticated.
    """
    encoded = raw.partition(".")[0]
    try:
        header: Any = msgspec.json.decode(base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise bad_token() from error
    if not isinstance(header, dict) or header.keys() & (_SENDERS_KEY - set(passing)):
        raise bad_token()
    kid, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or not keyset.KID.fullmatch(kid) or not isinstance(algorithm, str) or algorithm not in algorithms:
        raise bad_token()
    return kid, algorithm


class Verifier:
    """Makes callers of tokens.

    source: where the keys and revocations are.  issuer, audience: what a token must name.  leeway_s: allowed difference of clocks.
    algorithms: a subset of `keyset.ALGORITHMS`.  refresh_pause_s: see `REFRESH_PAUSE_S`.
    Raises: ValueError for an algorithm that is not allowed.
    """

    def __init__(
        self,
        source: Source,
        clock: Clock,
        *,
        issuer: str,
        audience: str,
        leeway_s: int = 30,
        algorithms: Sequence[str] = ALGORITHMS,
        refresh_pause_s: float = REFRESH_PAUSE_S,
    ) -> None:
        refused = set(algorithms) - set(ALGORITHMS)
        if refused:
            raise ValueError(f"algorithms {sorted(refused)} are not allowed; choose from {ALGORITHMS}")
        self._source = source
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._leeway_s = leeway_s
        self._algorithms = frozenset(algorithms)
        self._registry = JWSRegistry(algorithms=list(algorithms))
        self._keys: Fresh[dict[str, PublicKey]] = Fresh(self._read_keys, KEYS_TTL_S, min_pause_s=refresh_pause_s)
        self._revoked: Fresh[Revocations] = Fresh(self._read_revoked, REVOKED_TTL_S)
        self._seen: OrderedDict[bytes, Verified] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """Who holds this token, access token or API key.

        Raises: Unauthenticated, with a code that says why; Unavailable when the issuer's keys were never read.
        """
        if not 0 < len(token) <= MAX_TOKEN_BYTES or not token.isascii():
            raise bad_token()
        # Asked before the cache is looked at, so that what an old key set verified is verified again by a new one.
        await self._keys.get()
        digest = hashlib.sha256(token.encode()).digest()
        verified = self._seen.get(digest)
        if verified is None or verified.generation != self._keys.generation:
            verified = await self._verify(token.removeprefix(API_KEY_PREFIX), is_key=token.startswith(API_KEY_PREFIX))
            self._remember(digest, verified)
        now = self._clock.now().timestamp()
        if now > verified.expires + self._leeway_s:
            raise Unauthenticated("the token has expired; sign in again", code="token_expired")
        if now < verified.not_before - self._leeway_s:
            raise Unauthenticated("the token is not valid yet; check the clock", code="token_not_yet_valid")
        if not verified.caller.token_id:
            return verified.caller
        known = await self._revoked.get()
        if verified.caller.token_id in known.tokens:
            raise Unauthenticated("the token was revoked; make a new one", code="token_revoked")
        owner_roles = known.lowered.get(verified.caller.token_id) if verified.caller.kind == "key" else None
        return verified.caller if owner_roles is None else verified.caller.lowered_to(owner_roles)

    def _remember(self, digest: bytes, verified: Verified) -> None:
        self._seen[digest] = verified
        self._seen.move_to_end(digest)
        while len(self._seen) > _CACHED_TOKENS:
            self._seen.popitem(last=False)

    async def _verify(self, raw: str, *, is_key: bool) -> Verified:
        if not _COMPACT.fullmatch(raw):
            raise bad_token()
        kid, algorithm = read_header(raw, self._algorithms)
        keys = await self._keys.get()
        if kid not in keys:
            # A key of a later rotation, or a made-up one: the issuer is asked now and then, not once a request.
            await self._keys.again()
            keys = await self._keys.get()
        generation = self._keys.generation
        if kid not in keys:
            raise Unauthenticated("the token is signed by a key that the issuer does not publish; sign in again", code="unknown_key")
        if algorithm not in keys[kid].algorithms:
            raise bad_token()
        try:
            payload = deserialize_compact(raw, keys[kid].key, registry=self._registry).payload
            said = msgspec.json.decode(payload)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise bad_token() from error
        return claims.check(said, issuer=self._issuer, audience=self._audience, is_key=is_key, generation=generation)

    async def _read_keys(self) -> dict[str, PublicKey]:
        return keyset.read(await self._source.keys())

    async def _read_revoked(self) -> Revocations:
        return revocations(await self._source.revoked())
