"""Whether the services of a mesh are well, asked at their own ports."""

import asyncio
import time
from collections.abc import Sequence

import httpx2

from weft.mesh.records import Address
from weft.stack.data_dir import DataDirectory
from weft.stack.errors import StackError

ASK_TIMEOUT_S = 3.0
START_TIMEOUT_S = 180.0
"""Seven processes compute for some 20 s until they are ready; the machine may be slow, or have other things to do."""
LOOK_EVERY_S = 0.1


async def healthy(addresses: Sequence[Address]) -> dict[str, bool]:
    """Whether each service says that it has what it needs (database, broker, consumers), by name."""
    async with httpx2.AsyncClient(timeout=ASK_TIMEOUT_S, trust_env=False) as client:
        answers = await asyncio.gather(*(_ask(client, address) for address in addresses))
    return dict(zip((address.name for address in addresses), answers, strict=True))


async def _ask(client: httpx2.AsyncClient, address: Address) -> bool:
    try:
        return (await client.get(f"{address.url}/health/ready")).status_code == 200
    except httpx2.HTTPError:
        return False


async def wait_until_healthy(addresses: Sequence[Address], data: DataDirectory) -> None:
    """Wait for all of them. Raises: StackError `services_not_ready` after `START_TIMEOUT_S`."""
    deadline = time.monotonic() + START_TIMEOUT_S
    missing = list(addresses)
    while missing:
        answers = await healthy(missing)
        missing = [address for address in missing if not answers[address.name]]
        if missing and time.monotonic() > deadline:
            names = ", ".join(address.name for address in missing)
            raise StackError(
                "services_not_ready",
                f"Not ready after {START_TIMEOUT_S:.0f} s: {names}.",
                f"Their logs are in {data.logs}; see `weft logs {missing[0].name}`.",
            )
        await asyncio.sleep(LOOK_EVERY_S)
