"""A PostgreSQL database that is not ours: a tenant's own. One connection, opened to an address that somebody has checked, with every wait
bounded. What it answers is what a stranger says.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

CONNECT_TIMEOUT_S: Final = 10.0
STATEMENT_TIMEOUT_MS: Final = 10_000
LOCK_TIMEOUT_MS: Final = 2_000
"""How long a statement of ours waits for a lock of theirs: others of theirs stand in line behind it meanwhile."""
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 20_000
ANSWER_WITHIN_S: Final = 5.0
"""The server ends a statement that runs into its timeout; one that has said nothing so much later will never answer."""
_SHOWN: Final = 300
_CODES: Final = {
    "28": "denied",
    "3D": "no_such_database",
    "42501": "forbidden",
    "57014": "timed_out",
    "55P03": "locked",
    "42P01": "missing",
    "3F000": "missing",
    "42883": "missing",
}
"""What a SQLSTATE, or its class, means here."""


class OutsideError(Exception):
    """A tenant's database does not do what is asked. The message is for the tenant; it holds nothing of their rows.

    code: stable. `unreachable`, `tls_failed`, `denied`, `no_such_database`, `forbidden`, `timed_out`, `locked`, `missing`, `refused`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Place:
    """Where a database is and who asks. addresses: of the host, checked, tried one after the other.  sslmode, ca: as libpq has them."""

    host: str
    port: int
    database: str
    addresses: Sequence[str]
    sslmode: str
    ca: str | None
    user: str
    password: str = field(repr=False)


class Outside:
    """An open connection. Use by one at a time; `listen` calls back between two uses too."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def rows(self, sql: str, *values: Any) -> list[Mapping[str, Any]]:
        """What a query gives. Raises: OutsideError."""
        with _told():
            found: list[Any] = await self._connection.fetch(sql, *values)
            return found

    async def run(self, sql: str, *values: Any) -> None:
        """Run one statement or, without values, several. Raises: OutsideError."""
        with _told():
            await self._connection.execute(sql, *values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All of what is run in the block, or none. Raises: OutsideError."""
        with _told():
            begun = self._connection.transaction()
            await begun.start()
        try:
            yield
        except BaseException:
            with _told():
                await begun.rollback()
            raise
        with _told():
            await begun.commit()

    async def listen(self, channel: str, called: Callable[[], None]) -> None:
        """Call back at each NOTIFY of a channel, and when the connection is lost. Raises: OutsideError."""
        with _told():
            await self._connection.add_listener(channel, lambda *_: called())
        self._connection.add_termination_listener(lambda _: called())

    @property
    def lost(self) -> bool:
        """Whether the connection is gone."""
        return bool(self._connection.is_closed())

    async def close(self) -> None:
        """Close it, in a moment, whatever the other side does."""
        try:
            await self._connection.close(timeout=1.0)
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()


async def open_outside(place: Place, application: str) -> Outside:
    """A connection to a database. application: how it is shown there.  Raises: OutsideError."""
    failure = OutsideError("unreachable", f"{place.host} has no address")
    for address in place.addresses:
        try:
            with _told():
                return Outside(await _connected(place, address, application))
        except OutsideError as error:
            failure = error
            if error.code != "unreachable":
                break
    raise failure


@asynccontextmanager
async def outside(place: Place, application: str) -> AsyncIterator[Outside]:
    """A connection for the length of a block. Raises: OutsideError."""
    opened = await open_outside(place, application)
    try:
        yield opened
    finally:
        await opened.close()


async def _connected(place: Place, address: str, application: str) -> asyncpg.Connection:
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        return await asyncpg.connect(
            host=address,
            port=place.port,
            user=place.user,
            password=place.password,
            database=place.database,
            ssl=_tls(place),
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_MS / 1000 + ANSWER_WITHIN_S,
            # Behind a pooler a prepared statement may be another session's.
            statement_cache_size=0,
            server_settings={
                "application_name": application,
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
                "timezone": "UTC",
                # What a name means is not left to the settings of the account.
                "search_path": "pg_catalog, pg_temp",
            },
        )


class _Named(ssl.SSLContext):
    """Asks for the certificate of a host's name where the connection goes to an address of it."""

    host: str

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.host, session)


def _tls(place: Place) -> ssl.SSLContext | bool:
    if place.sslmode == "disable":
        return False
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.host = place.host
    context.check_hostname = place.sslmode == "verify-full"
    if place.sslmode == "require":
        context.verify_mode = ssl.CERT_NONE
    elif place.ca is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata=place.ca)
    return context


@contextmanager
def _told() -> Iterator[None]:
    """What the driver raises, as a tenant can mend it."""
    try:
        yield
    except asyncpg.PostgresError as error:
        # No `detail` of theirs: it may hold what stands in a row.
        raise OutsideError(_code(error.sqlstate or ""), f"the database says: {str(error.args[0])[:_SHOWN]}") from error
    except ssl.SSLError as error:
        raise OutsideError("tls_failed", f"no trusted connection to the database: {str(error)[:_SHOWN]}") from error
    except TimeoutError as error:
        raise OutsideError("timed_out", "the database did not answer in time") from error
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise OutsideError("unreachable", f"the database cannot be reached: {str(error)[:_SHOWN] or type(error).__name__}") from error


def _code(sqlstate: str) -> str:
    if sqlstate.startswith(("08", "57P", "53")):
        return "unreachable"
    return _CODES.get(sqlstate) or _CODES.get(sqlstate[:2]) or "refused"
