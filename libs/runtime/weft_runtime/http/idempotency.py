"""Idempotency keys: a request that is sent twice acts once and gets the same answer. Source: draft-ietf-httpapi-idempotency-key-header.

The answer is stored in the transaction of the verb itself, under a lock that lives as long as that transaction: a crash leaves
neither, and whoever finds the lock taken knows that the first request still runs. A request that failed changed nothing and is
not stored, so it may be sent again with the same key. A route that waits for others after its transaction has done what was asked:
its answer is stored at once, marked as not the last word, and replaced when it has been waited for, also by a refusal.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from weft_runtime.auth.caller import Caller
from weft_runtime.database import plumbing
from weft_runtime.errors import Conflict, Invalid, Malformed
from weft_runtime.sealing import Seal
from weft_runtime.uow import UnitOfWork

KEPT = timedelta(hours=72)
LONGEST_RUN = timedelta(seconds=45)
"""How long a route may wait after its transaction; a process that dies meanwhile leaves the answer it would have given without waiting."""
HEADER = "idempotency-key"
RUNNING_RETRY_S = 1
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "etag", "location")
_RUNS_UNTIL = "weft-runs-until"
"""Among the headers that are kept: until when the answer is not the last word. No header of that name is ever sent."""
_SEALED = "weft-sealed"
"""Likewise: the body is sealed."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One key of one caller, and the request it came with. request_hash: of method, path and body.  secrets: the newest seals."""

    schema: str
    caller: str
    key: str
    request_hash: bytes
    secrets: tuple[str, ...] = ("",)

    async def replay(self, uow: UnitOfWork) -> Response | None:
        """The answer given before, None where this is the first time; then nobody else passes here until the transaction ends.

        Raises: Conflict while the first still runs, Invalid where the key came with another request.
        """
        name = f"{self.schema}\n{uow.tenant}\n{self.caller}\n{self.key}"
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        if not (await uow.conn.execute(sa.select(sa.func.pg_try_advisory_xact_lock(number)))).scalar_one():
            raise _running()
        kept = plumbing.table(self.schema, "idempotency")
        found = (
            await uow.conn.execute(
                sa.select(kept.c.request_hash, kept.c.status, kept.c.headers, kept.c.body).where(
                    kept.c.tenant_id == uow.tenant,
                    kept.c.caller == self.caller,
                    kept.c.key == self.key,
                    kept.c.created_at > uow.now - KEPT,
                )
            )
        ).one_or_none()
        if found is None:
            return None
        if bytes(found.request_hash) != self.request_hash:
            raise Invalid(
                "this Idempotency-Key came with another request before; use a new key for a new request", code="idempotency_mismatch"
            )
        headers = dict(found.headers)
        runs_until = headers.pop(_RUNS_UNTIL, None)
        if runs_until is not None and uow.now < datetime.fromisoformat(runs_until):
            raise _running()
        body = bytes(found.body) if headers.pop(_SEALED, None) is None else self._seal().open(bytes(found.body), self._about(uow))
        if body is None:
            raise Conflict(
                "the answer to this Idempotency-Key was sealed with another WEFT_SECRET_KEY; read what it made",
                code="idempotency_sealed",
            )
        return Response(body, found.status, headers={**headers, "Idempotent-Replayed": "true"})

    async def store(self, uow: UnitOfWork, response: Response, *, runs_on: bool = False, secret: bool = False) -> None:
        """Keep the answer, in the transaction of the verb. Streams are not kept.

        runs_on: it is not the last word yet.  secret: it is kept sealed.
        """
        if isinstance(response, StreamingResponse):
            return
        marks = {_RUNS_UNTIL: (uow.now + LONGEST_RUN).isoformat()} if runs_on else {}
        body = bytes(response.body)
        if secret:
            marks[_SEALED] = "1"
            body = self._seal().close(body, self._about(uow))
        kept = plumbing.table(self.schema, "idempotency")
        values = {
            "request_hash": self.request_hash,
            "status": response.status_code,
            "headers": {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers} | marks,
            "body": body,
            "created_at": uow.now,
        }
        row = insert(kept).values(tenant_id=uow.tenant, caller=self.caller, key=self.key, **values)
        await uow.conn.execute(row.on_conflict_do_update(index_elements=["tenant_id", "caller", "key"], set_=values))

    def _seal(self) -> Seal:
        return Seal(self.secrets[0], "idempotency", self.secrets[1:])

    def _about(self, uow: UnitOfWork) -> str:
        return "\n".join((self.schema, uow.tenant, self.caller, self.key))


def _running() -> Conflict:
    return Conflict(
        "a request with this Idempotency-Key still runs; ask again for its answer",
        code="idempotency_running",
        retry_after_s=RUNNING_RETRY_S,
    )


def guard(request: Request, body: bytes, schema: str, caller: Caller | None, secrets: tuple[str, ...]) -> Guard | None:
    """The guard of a POST that has a key, None for any other request. secrets: the installation's, the newest first.

    Raises: Malformed for a key that is none.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST" or caller is None:
        return None
    if not _KEY.fullmatch(key):
        raise Malformed("Idempotency-Key must be 1 to 255 printable ASCII characters; a UUID is a good one", code="bad_idempotency_key")
    told = hashlib.sha256(f"{request.method}\n{request.url.path}\n".encode("utf-8", "surrogatepass") + body).digest()
    return Guard(schema, f"{caller.kind}:{caller.sub}", key, told, secrets)


async def forget_old(uow: UnitOfWork, schema: str) -> int:
    """Delete answers older than 72 h, of every tenant. Returns: how many."""
    kept = plumbing.table(schema, "idempotency")
    return (await uow.conn.execute(sa.delete(kept).where(kept.c.created_at < uow.now - KEPT))).rowcount
