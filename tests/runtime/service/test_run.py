"""A process of services: started, asked over its ports, told to stop in the middle of a request."""

import asyncio
import json
import os
import signal
import sys
import textwrap
from pathlib import Path

import httpx2
from weft_runtime.database import migrate, provision
from weft_runtime.testing.running import TEST_SECRET

REPOSITORY = Path(__file__).resolve().parents[3]
WITHIN_S = 60.0
"""A bound on each wait: to start alone takes a process two seconds of computing."""
PROGRAM = textwrap.dedent("""
    import asyncio, json, sys
    from starlette.responses import PlainTextResponse
    from weft_runtime.http.mount import Mount
    from weft_runtime.service import run
    from tests.runtime.sample.app import Settings, build

    def told(hosts, ports):
        print(json.dumps(ports), flush=True)

    def edge(hosts):
        mount = Mount([(host.service.door, host.app) for host in hosts], PlainTextResponse("the edge", 404))

        async def telling(scope, receive, send):
            if scope.get("path") == "/patient":
                print("asked for patience", flush=True)
            await mount(scope, receive, send)

        return telling

    asyncio.run(run([build(Settings())], edge=edge, edge_port=0, started=told))
""")


async def test_a_process_serves_its_services_and_finishes_what_runs_when_it_is_told_to_stop(database_url: str, broker_url: str) -> None:
    urls = await provision(database_url, "sample", TEST_SECRET)
    await migrate(urls.owner, "tests.runtime.sample", "sample")
    environment = os.environ | {
        "WEFT_DATABASE_URL": urls.owner,
        "WEFT_API_DATABASE_URL": urls.api,
        "WEFT_BROKER_URL": broker_url,
        "WEFT_SECRET_KEY": TEST_SECRET,
        "WEFT_JWKS_URL": "http://127.0.0.1:1/.well-known/jwks.json",
        "PYTHONPATH": str(REPOSITORY),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        ports = json.loads(await asyncio.wait_for(process.stdout.readline(), WITHIN_S))
        private, public = (f"http://127.0.0.1:{ports[name]}" for name in ("sample", "edge"))
        async with httpx2.AsyncClient(trust_env=False, timeout=WITHIN_S) as client:
            assert (await client.get(f"{private}/health/ready")).json()["checks"] == {"database": True, "broker": True, "consumers": True}
            assert (await client.get(f"{private}/health/live")).status_code == 200
            assert "weft_http_requests_total" in (await client.get(f"{private}/metrics")).text
            assert (await client.get(f"{public}/open")).json() == {"hello": "world"}
            assert (await client.get(f"{public}/health/ready")).text == "the edge"
            assert (await client.get(f"{public}/api/v1/notes")).status_code == 401
            unverifiable = await client.get(f"{public}/api/v1/notes", headers={"Authorization": "Bearer a.b.c"})
            assert (unverifiable.status_code, unverifiable.json()["code"]) == (503, "issuer_unavailable")
            running = asyncio.create_task(client.get(f"{public}/patient"))
            assert await asyncio.wait_for(process.stdout.readline(), WITHIN_S) == b"asked for patience\n"
            process.send_signal(signal.SIGTERM)
            assert (await running).json() == {"waited": True}
        assert await asyncio.wait_for(process.wait(), WITHIN_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
