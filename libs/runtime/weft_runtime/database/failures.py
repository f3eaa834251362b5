"""What a database error means to a caller: which of the four kinds it is."""

from __future__ import annotations

import asyncpg
from sqlalchemy import exc

from weft_runtime.errors import Conflict, Invalid, StaleWrite, Unavailable, WeftError

RETRY_AFTER_S = 1

_GONE_CLASSES = ("08", "57P", "53")
"""Connection exceptions, server shutting down or starting, out of resources."""
_TIMED_OUT = ("57014", "55P03", "25P03", "25P04")
"""Statement cancelled by its timeout, lock not available in time, transaction idle or open for too long."""
_RACE = ("40001", "40P01")

_LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Of a connection that is gone; the last is what the driver says of one that broke in the middle of an answer."""


def as_weft_error(error: BaseException) -> WeftError | None:
    """The error as one of the house's kinds, or None when it is our own bug and should be seen as one."""
    if isinstance(error, WeftError):
        return error
    if isinstance(error, exc.TimeoutError):
        return _unavailable("no database connection became free in time; try again shortly", "database_busy")
    if isinstance(error, exc.DBAPIError):
        if _wrong_type(error):
            return None
        return _from_sqlstate(error, getattr(error.orig, "sqlstate", None))
    if isinstance(error, asyncpg.PostgresError):
        return _from_sqlstate(error, error.sqlstate)
    if isinstance(error, (*_LOST, exc.InterfaceError)):
        return _gone()
    return None


def _from_sqlstate(error: BaseException, sqlstate: str | None) -> WeftError | None:
    if sqlstate is None:
        return _without_sqlstate(error)
    if sqlstate in _TIMED_OUT:
        return _unavailable("the database did not finish in time; try again shortly", "database_timeout")
    if sqlstate.startswith(_GONE_CLASSES):
        return _gone()
    if sqlstate in _RACE:
        return StaleWrite("another request changed the same rows first; read again and retry")
    if sqlstate == "23505":
        return Conflict("that already exists", code="already_exists")
    if sqlstate.startswith("22"):
        return Invalid("a value cannot be stored: it is out of range or holds a character the database refuses", code="value_refused")
    return None


def _wrong_type(error: exc.DBAPIError) -> bool:
    """Whether the driver was given a value of a type that the column has not: no client can do that, so it is our bug."""
    original = getattr(error.orig, "__cause__", None)
    return isinstance(original, asyncpg.DataError) and isinstance(original.__cause__, TypeError)


def _without_sqlstate(error: BaseException) -> WeftError | None:
    cause = getattr(error, "orig", None)
    original = getattr(cause, "__cause__", None)
    if getattr(error, "connection_invalidated", False) or isinstance(error, (exc.InterfaceError, exc.OperationalError)):
        return _gone()
    if isinstance(original, _LOST):
        return _gone()
    return None


def _gone() -> Unavailable:
    return _unavailable("the database does not answer; try again shortly", "database_unavailable")


def _unavailable(message: str, code: str) -> Unavailable:
    return Unavailable(message, code=code, retry_after_s=RETRY_AFTER_S)
