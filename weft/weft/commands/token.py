"""`weft token`: sign in as one of the demo tenant's people."""

from pathlib import Path

import httpx2

from weft.commands.terminal import refuse, say
from weft.mesh.records import Demo, Mesh
from weft.stack.data_dir import DataDirectory

TIMEOUT_S = 10.0


def token(data_dir: Path, email: str) -> None:
    """Print an access token. Exits with 1 when nothing runs, nobody has this address or the sign-in is refused."""
    say(sign_in(data_dir, email)[1])


def sign_in(data_dir: Path, email: str) -> tuple[str, str]:
    """The address of the running mesh and an access token. Exits as `token`."""
    data = DataDirectory(data_dir)
    mesh, demo = data.state.get("mesh", Mesh), data.state.get("demo", Demo)
    if mesh is None or demo is None or not data.lock.is_held():
        refuse(f"Nothing runs on {data.path}. Start it with `weft up`.")
    person = next((person for person in demo.users if person.email == email), None)
    if person is None:
        refuse(f"{email} is none of {', '.join(person.email for person in demo.users)}.")
    login = {"email": email, "password": person.password}
    try:
        answer = httpx2.post(f"{mesh.url}/api/v1/auth/login", json=login, timeout=TIMEOUT_S, trust_env=False)
    except httpx2.HTTPError as error:
        refuse(f"{mesh.url} does not answer: {error}. See `weft status`.")
    if answer.status_code != 200:
        refuse(f"Signing in as {email} was refused: {answer.text}")
    return mesh.url, str(answer.json()["access_token"])
