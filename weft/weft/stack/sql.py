"""A few administrative statements on a PostgreSQL server, from ordinary code."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

Answer = TypeVar("Answer")


def execute(url: str, *statements: str) -> None:
    """Run the statements one after another, each on its own. Raises: asyncpg.PostgresError, OSError."""

    async def run() -> None:
        connection = await asyncpg.connect(url, timeout=20)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    _in_own_loop(run())


def fetch_column(url: str, query: str) -> list[object]:
    """The first column of the answer. Raises: asyncpg.PostgresError, OSError."""

    async def run() -> list[object]:
        connection = await asyncpg.connect(url, timeout=20)
        try:
            return [row[0] for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return _in_own_loop(run())


def with_database(url: str, name: str) -> str:
    """The same server's address of another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _in_own_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine in a thread of its own, because the caller's thread may have a loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
