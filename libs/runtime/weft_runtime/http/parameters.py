"""The types a route may ask for: the transaction, the caller, the body, a page of a list, a precondition."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import InitErrorDetails, core_schema

from weft_runtime.auth.caller import Caller
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Malformed
from weft_runtime.http.call import call_of
from weft_runtime.http.cursors import MAX_CURSOR
from weft_runtime.http.problems import MAX_ERRORS
from weft_runtime.http.strict_json import RawObject
from weft_runtime.uow import UnitOfWork

ViewT = TypeVar("ViewT")
RowT = TypeVar("RowT")

_BARE_ETAG = re.compile(r"[A-Za-z0-9._~-]{1,100}")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class Body(BaseModel):
    """A request's body: unknown fields refused, types strict as JSON has them (times, ids and enums are texts there)."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """The model's schema; a body that came with its bytes is read from them.

        Strict types differ between Python and JSON (a time is a text there), and what was decoded once is Python.
        """
        plain = handler(source)

        known = {*cls.model_fields, *(field.alias for field in cls.model_fields.values() if field.alias)}

        def read(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
            if isinstance(value, dict) and len(value) > len(known) + MAX_ERRORS:
                # An error is made for each unknown member, and few are shown: tens of thousands would hold up everybody else.
                unknown = islice((name for name in value if name not in known), MAX_ERRORS)
                wrong = [InitErrorDetails(type="extra_forbidden", loc=(name,), input=value[name]) for name in unknown]
                raise ValidationError.from_exception_data(cls.__name__, wrong)
            return cls.__pydantic_validator__.validate_json(value.raw) if type(value) is RawObject else validate(value)

        from_python = core_schema.no_info_wrap_validator_function(read, plain)
        return core_schema.json_or_python_schema(json_schema=plain, python_schema=from_python)


class Listing(BaseModel, Generic[ViewT]):
    """One page of a list. next_cursor: where it goes on, None at its end."""

    items: list[ViewT]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of a list is asked for.

    after: the key of the last row of the page before, None for the first.  limit: 1..200.  asked: whether the request says either.
    """

    after: tuple[Any, ...] | None
    limit: int
    _next: Callable[[Sequence[Any]], str]
    asked: bool = True

    def listing(self, rows: Sequence[RowT], *, view: Callable[[RowT], ViewT], key: Callable[[RowT], Sequence[Any]]) -> Listing[ViewT]:
        """The page.

        rows: up to `limit + 1` in order, so that one too many tells that there is more.  view: what is shown of a row.
        key: what the list is ordered by, unique.
        """
        more = len(rows) > self.limit
        shown = rows[: self.limit]
        return Listing.model_construct(items=[view(row) for row in shown], next_cursor=self._next(key(shown[-1])) if more else None)

    def of(self, items: Sequence[ViewT]) -> Listing[ViewT]:
        """The page of a list that is at hand as a whole and only grows at its end; all of it where no page was asked for."""
        if not self.asked:
            return Listing.model_construct(items=list(items), next_cursor=None)
        start = int(self.after[0]) if self.after is not None else 0
        end = start + self.limit
        return Listing.model_construct(items=list(items[start:end]), next_cursor=self._next((end,)) if end < len(items) else None)


async def _page(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="`next_cursor` of the page before.")] = None,
) -> Paging:
    call = call_of(request)
    chosen = sorted((name, value) for name, value in request.query_params.multi_items() if name not in ("limit", "cursor"))
    scope = [call.tenant, call.route, *(part for pair in chosen for part in pair), *map(str, request.path_params.values())]
    cursors = call.context.cursors
    asked = "limit" in request.query_params or bool(cursor)
    return Paging(cursors.read(cursor, scope) if cursor else None, limit, lambda key: cursors.make(key, scope), asked)


async def _uow(request: Request) -> UnitOfWork:
    return await call_of(request).uow()


async def owner_uow(request: Request) -> UnitOfWork:
    """The transaction behind `OwnerUow`."""
    return await call_of(request).owner_uow()


async def _caller(request: Request) -> Caller:
    return call_of(request).known_caller


async def _context(request: Request) -> ServiceContext:
    return call_of(request).context


async def _raw_body(request: Request) -> bytes:
    return await request.body()


async def _if_match(request: Request) -> str | None:
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    etag = given.strip()
    if _BARE_ETAG.fullmatch(etag):
        # As bodies hold it; who copies it from there means the same.
        return etag
    strong = etag.removeprefix("W/")
    if len(strong) < 2 or strong[0] != '"' or strong[-1] != '"' or '"' in strong[1:-1]:
        raise Malformed('If-Match must be one etag, as the ETag header gave it: "3"', code="bad_if_match")
    # A weak one never matches here (RFC 9110, section 13.1.1): it stays what no etag of ours is.
    return strong[1:-1] if strong is etag else etag


def _apart(given: Any) -> Any:
    if not isinstance(given, list | tuple):
        return given
    return [part for one in given for part in (one.split(",") if isinstance(one, str) else (one,))]


Several = BeforeValidator(_apart)
"""Beside a list of words in a query: they come repeated (`status=a&status=b`), with commas between them (`status=a,b`), or both."""

Uow = Annotated[UnitOfWork, Depends(_uow)]
"""A transaction as the API role, held to the caller's tenant; committed before the answer is sent."""

OwnerUow = Annotated[UnitOfWork, Depends(owner_uow)]
"""A transaction as the owner of the schema, which sees every tenant: for routes before sign-in and for operators. Filter by tenant!"""

Asker = Annotated[Caller, Depends(_caller)]
"""Who asks, where a route needs no transaction."""

Context = Annotated[ServiceContext, Depends(_context)]
"""The service's settings, database, bus, clock, metrics and log."""

Page = Annotated[Paging, Depends(_page)]
"""Which page of a list is asked for: `?limit=` and `?cursor=`."""

RawBody = Annotated[bytes, Depends(_raw_body)]
"""The body's bytes as they came, of any media type, within the size limit."""

IfMatch = Annotated[str | None, Depends(_if_match)]
"""The etag in `If-Match` without its quotes, a weak one as it came, since it never matches; None where any version will do."""
