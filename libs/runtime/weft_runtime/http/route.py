"""A route with the house's rules around it: who asks, may they, how often, what they send, and one transaction for all of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match
from starlette.types import Scope

from weft_runtime.auth.permissions import Permission
from weft_runtime.errors import Detail, Forbidden, Invalid, RateLimited, Unauthenticated, WeftError
from weft_runtime.http import idempotency, problems
from weft_runtime.http.addresses import of_one_party
from weft_runtime.http.call import Call, call_of
from weft_runtime.http.parameters import Listing, owner_uow
from weft_runtime.http.paths import whole
from weft_runtime.http.pointers import pointer
from weft_runtime.http.rate import Quota
from weft_runtime.http.reply import Reply
from weft_runtime.http.requests import StrictRequest, read_body
from weft_runtime.telemetry.logs import bind_log
from weft_runtime.uow import UnitOfWork

_NO_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one route. may: the permission, None only where it is public.  per_minute: requests of one address, public routes.

    yaml: reads a body that is YAML; None where only JSON is taken.  meant: what a body that may be written shorter stands for.
    only_known: parameters of the query that it does not know are refused.
    """

    may: Permission | None
    public: bool
    max_body_bytes: int | None = None
    per_minute: int | None = None
    yaml: Callable[[bytes], Any] | None = None
    meant: Callable[[Any], Any] | None = None
    only_known: bool = False


class DoorRoute(APIRoute):
    """One route of a door."""

    rules: Rules

    def __init__(self, path: str, endpoint: Callable[..., Any], *, rules: Rules, **options: Any) -> None:
        self.rules = rules
        super().__init__(path, endpoint, **options)
        self._owner = _asks_for(self.dependant, owner_uow)
        self._known = frozenset(_query_names(self.dependant))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it is asked for, and with what in its path, where an encoded slash is a slash like any other."""
        match, found = super().matches(scope)
        if match is not Match.NONE:
            found["path_params"] = {name: whole(value) for name, value in found["path_params"].items()}
        return match, found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler inside ours."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            call = call_of(request)
            call.route = self.path_format
            call.context = request.app.state.context
            try:
                await self._admit(call, request)
                if call.caller is None:
                    return await self._handle(call, request, inner)
                with bind_log(tenant=call.caller.tenant):
                    return await self._handle(call, request, inner)
            except Exception as error:  # noqa: BLE001
                # Every error has an answer, and a bug of ours shows the client nothing but its trace id.
                return answer(call, error)

        return handle

    async def _handle(self, call: Call, request: Request, inner: Callable[[Request], Coroutine[Any, Any, Response]]) -> Response:
        if self.rules.only_known and (unknown := [name for name in dict.fromkeys(request.query_params) if name not in self._known]):
            raise _unknown_parameters(unknown, self._known)
        limit = self.rules.max_body_bytes or call.context.settings.max_body_bytes
        body = b"" if request.method in _NO_BODY else await read_body(request, limit)
        strict = StrictRequest(request, body)
        if self.body_field is not None:
            await strict.read_document(self.rules.yaml, self.rules.meant)
        guard = idempotency.guard(request, body, call.context.name, call.caller, call.context.settings.secrets)
        async with AsyncExitStack() as stack:
            call.stack = stack
            uow: UnitOfWork | None = None
            if guard is not None:
                uow = await (call.owner_uow() if self._owner else call.uow())
                replayed = await guard.replay(uow)
                if replayed is not None:
                    return replayed
            response = await inner(strict)
            if guard is not None and uow is not None:
                reply = call.reply
                await guard.store(uow, response, runs_on=bool(reply and reply.then), secret=bool(reply and reply.secret))
        call.stack = None
        return await self._afterwards(call, request, response, guard)

    async def _admit(self, call: Call, request: Request) -> None:
        """Let in who may. Raises: Unauthenticated, Forbidden, RateLimited, Unavailable."""
        if self.rules.public:
            if self.rules.per_minute is not None:
                await count(call, ("address", of_one_party(call.ip), self.path_format), Quota("address", self.rules.per_minute, 60))
            return
        token = _bearer(request)
        call.caller = caller = replace(await call.context.verifier.caller(token), request_id=call.request_id, ip=call.ip)
        settings = call.context.settings
        usual = settings.key_requests_per_hour if caller.kind == "key" else settings.person_requests_per_hour
        per_hour = settings.requests_per_hour_by_tenant.get(caller.tenant, {}).get(caller.kind, usual)
        await count(call, (caller.tenant, caller.kind, caller.sub), Quota(caller.kind, per_hour))
        if self.rules.may is None or not caller.may(self.rules.may):
            raise Forbidden(f"this needs the permission {self.rules.may}; ask an administrator of your tenant for a role that has it")

    async def _afterwards(self, call: Call, request: Request, response: Response, guard: idempotency.Guard | None) -> Response:
        reply = call.reply
        if reply is not None and reply.then is not None:
            try:
                later = await reply.then()
            except WeftError as refusal:
                # What was asked for stands, so that asking again would do it again: a refusal is an answer like any other. Where
                # others only could not be reached, the answer is the one without waiting.
                await self._keep(call, guard, problems.from_weft_error(refusal) if refusal.status < 429 else response)
                raise
            if later is not None:
                reply, response = later, later.response(self.status_code or 200)
            await self._keep(call, guard, response)
        if reply is not None and reply.etag is not None and request.method == "GET" and _matches(request, reply.etag):
            return Response(None, 304, headers={"ETag": response.headers["etag"]})
        if call.head and isinstance(response, StreamingResponse):
            return Response(None, response.status_code, headers={"Content-Type": response.headers["content-type"]})
        return response

    async def _keep(self, call: Call, guard: idempotency.Guard | None, response: Response) -> None:
        """Keep the last word on a request that was waited for."""
        if guard is not None:
            async with call.context.transaction(call.tenant, call.caller) as uow:
                await guard.store(uow, response)


async def count(call: Call, who: tuple[str, ...], quota: Quota) -> None:
    """Count a request against a quota, and tell in the answer where that stands. Raises: RateLimited."""
    standing = await call.context.limiter.count(who, quota)
    call.headers.update(standing.headers())
    if not standing.allowed:
        raise RateLimited(
            f"more than {quota.requests} requests in {quota.window_s} s; wait {standing.reset_s} s", retry_after_s=standing.reset_s
        )


def wrapped(endpoint: Callable[..., Any], status: int) -> Callable[..., Coroutine[Any, Any, Response]]:
    """The endpoint with its view made an answer while its transaction is open."""

    async def run(weft_request: Request, **values: Any) -> Response:
        given = await endpoint(**values)
        if isinstance(given, Response):
            return given
        reply = given if isinstance(given, Reply) else Reply(given)
        response = reply.response(status)
        if weft_request.method == "GET" and reply.etag is None and not isinstance(reply.view, Listing):
            # Every single thing has a version; one that counts none has that of what is shown of it.
            reply = replace(reply, etag=blake2b(bytes(response.body), digest_size=12).hexdigest())
            response.headers["ETag"] = f'"{reply.etag}"'
        call_of(weft_request).reply = reply
        return response

    return run


def answer(call: Call, error: Exception) -> Response:
    """The answer to any error."""
    if isinstance(error, WeftError) and error.status != 500:
        call.code = error.code
        return problems.from_weft_error(error)
    if isinstance(error, RequestValidationError):
        call.code = "invalid"
        return problems.from_validation_error(error)
    if isinstance(error, HTTPException) and error.status_code < 500:
        call.code = "refused"
        return problems.from_http_exception(error)
    call.code = "internal_error"
    call.context.metrics.internal_error("http")
    call.context.log.error("internal error", route=call.route, exc_info=error)
    return problems.internal_error()


def _bearer(request: Request) -> str:
    given = request.headers.getlist("authorization")
    scheme, _, token = (given[0] if len(given) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("sign in first: send `Authorization: Bearer <token>`")
    return token.strip()


def _matches(request: Request, etag: str) -> bool:
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or f'"{etag}"' in (part.strip().removeprefix("W/") for part in given.split(","))


def _query_names(dependant: Dependant) -> Iterator[str]:
    """What a route reads of the query, by the names that are written there."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (info.alias or name for name, info in model.model_fields.items())
        else:
            yield field.alias
    for below in dependant.dependencies:
        yield from _query_names(below)


def _unknown_parameters(names: Sequence[str], known: Collection[str]) -> Invalid:
    # One that is misspelled would filter nothing, and the answer would look like one that did.
    detail = f"it is not known here; known are {', '.join(sorted(known))}"
    details = [Detail(pointer((name[:100],)), "unknown_parameter", detail, source="query") for name in names[: problems.MAX_ERRORS]]
    return Invalid("the query has parameters that are not known here; `errors` says which", details=details)


def _asks_for(dependant: Dependant, function: Callable[..., Any]) -> bool:
    return any(below.call is function or _asks_for(below, function) for below in dependant.dependencies)
