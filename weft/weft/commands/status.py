"""`weft status`: what runs, where, and how to sign in."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from weft.commands.terminal import say
from weft.mesh.health import healthy
from weft.mesh.records import Demo, Mesh
from weft.stack.data_dir import DataDirectory


def status(data_dir: Path, *, as_json: bool) -> None:
    """Print the state of the mesh. Exits with 1 unless it runs and every service is healthy."""
    found = asyncio.run(describe(DataDirectory(data_dir)))
    if as_json:
        say(json.dumps(found, indent=2))
    else:
        _show(found)
    if not found["services"] or not all(service["healthy"] for service in found["services"]):
        sys.exit(1)


async def describe(data: DataDirectory) -> dict[str, Any]:
    """`{url, data_dir, database_url, broker_url, services: [{name, url, healthy}], demo: {tenant, users}}`.

    Where nothing runs, the addresses are null and there are no services.
    """
    mesh = data.state.get("mesh", Mesh) if data.lock.is_held() else None
    demo = data.state.get("demo", Demo)
    well = await healthy(mesh.services) if mesh else {}
    return {
        "url": mesh.url if mesh else None,
        "data_dir": str(data.path),
        "database_url": mesh.database_url if mesh else None,
        "broker_url": mesh.broker_url if mesh else None,
        "services": [
            {"name": address.name, "url": address.url, "healthy": well[address.name]} for address in (mesh.services if mesh else ())
        ],
        "demo": demo.model_dump() if demo else None,
    }


def _show(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if found["url"] is None:
        console.print(f"Nothing runs on {found['data_dir']}. Start it with `weft up`.")
        return
    console.print(f"[bold]{found['url']}[/bold]   data in {found['data_dir']}")
    console.print("messages on RabbitMQ" if found["broker_url"] else "messages inside the process (no RabbitMQ)")
    services = Table("Service", "Own address", "Health", box=None, pad_edge=False)
    for service in found["services"]:
        services.add_row(service["name"], service["url"], "[green]healthy[/green]" if service["healthy"] else "[red]not healthy[/red]")
    console.print(services)
    if found["demo"]:
        people = Table("Sign in as", "Password", "Roles", box=None, pad_edge=False)
        for person in found["demo"]["users"]:
            people.add_row(person["email"], person["password"], ", ".join(person["roles"]))
        console.print(people)
