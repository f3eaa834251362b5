"""`weft token`: sign in as one of the demo tenant's people."""

import os
import time
from pathlib import Path
from urllib.parse import quote

import httpx2

from weft.commands.terminal import refuse, say
from weft.mesh.records import Demo, Mesh
from weft.stack.data_dir import DataDirectory

TIMEOUT_S = 10.0
KEPT_S = 120.0
"""So long other commands use the token of one: far less than it holds, and a script does not run into the limit of sign-ins."""


def token(data_dir: Path, email: str) -> None:
    """Print an access token. Exits with 1 when nothing runs, nobody has this address or the sign-in is refused."""
    say(sign_in(data_dir, email)[1])


def sign_in(data_dir: Path, email: str, *, anew: bool = True) -> tuple[str, str]:
    """The address of the running mesh and an access token. anew: even if a command before has one. Exits as `token`."""
    data = DataDirectory(data_dir)
    mesh, demo = data.state.get("mesh", Mesh), data.state.get("demo", Demo)
    if mesh is None or demo is None or not data.lock.is_held():
        refuse(f"Nothing runs on {data.path}. Start it with `weft up`.")
    person = next((person for person in demo.users if person.email == email), None)
    if person is None:
        refuse(f"{email} is none of {', '.join(person.email for person in demo.users)}.")
    kept = data.path / "tokens" / quote(email, safe="@")
    if not anew and kept.exists() and time.time() - kept.stat().st_mtime < KEPT_S:
        return mesh.url, kept.read_text()
    login = {"email": email, "password": person.password}
    try:
        answer = httpx2.post(f"{mesh.url}/api/v1/auth/login", json=login, timeout=TIMEOUT_S, trust_env=False)
    except httpx2.HTTPError as error:
        refuse(f"{mesh.url} does not answer: {error}. See `weft status`.")
    if answer.status_code != 200:
        refuse(f"Signing in as {email} was refused: {answer.text}")
    access = str(answer.json()["access_token"])
    _keep(kept, access)
    return mesh.url, access


def _keep(place: Path, access: str) -> None:
    """Write it down for the next command; one that reads at the same time sees the former one or this one, whole."""
    place.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(access)
    fresh.replace(place)
