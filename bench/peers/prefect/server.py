"""Prefect's server, told where PostgreSQL is, on tables made here without the indexes that need the extension pg_trgm.

They serve searches by parts of a name, which nothing here makes, and the PostgreSQL of the wheel has no such extension.
Prefect has less to write so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from alembic.operations import Operations

from bench.peers.peer import database_url, port


def make_tables() -> None:
    """Run Prefect's migrations, but for those statements."""
    execute = Operations.execute

    def without_trigrams(self: Operations, statement: Any, **options: Any) -> None:
        if "trgm" not in str(statement):
            execute(self, statement, **options)

    Operations.execute = without_trigrams  # type: ignore[assignment, method-assign]
    # Read when imported: the address of the database has to be in the environment by then.
    from prefect.server.database.alembic_commands import alembic_upgrade

    async def upgrade() -> None:
        await anyio.to_thread.run_sync(alembic_upgrade)  # its migrations look for the loop that their thread belongs to

    anyio.run(upgrade)


def main() -> None:
    os.environ["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database_url().replace("postgresql://", "postgresql+asyncpg://")
    make_tables()
    os.environ["PREFECT_SERVER_DATABASE_MIGRATE_ON_START"] = "false"
    program = str(Path(sys.executable).with_name("prefect"))
    os.execv(program, [program, "server", "start", "--host", "127.0.0.1", "--port", str(port("server")), "--no-ui"])


if __name__ == "__main__":
    main()
