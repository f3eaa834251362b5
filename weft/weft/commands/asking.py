"""How a command asks the running mesh: signed in as one of the demo tenant's people; what is refused ends the command, with the reason."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx2

from weft.commands.terminal import refuse
from weft.commands.token import sign_in
from weft.options import Asker

TIMEOUT_S = 40.0
"""Longer than any answer of the API is waited for."""


class Mesh:
    """The API of the mesh that runs on a data directory, as somebody. Exits with 1 where nothing runs or the sign-in is refused."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.url, token = sign_in(asker.data_dir, asker.email, anew=False)
        headers = {"Authorization": f"Bearer {token}"}
        self._client = httpx2.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        """Speak with it for the length of a block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """What stands at a path. query: left out where None or empty. Exits with 1 and the reason when it is refused."""
        return self._answer("GET", path, params={name: value for name, value in query.items() if value not in (None, [])})

    def text(self, path: str, **query: Any) -> str:
        """What stands at a path, as it is written. query: as of `get`. Exits as `get`."""
        answer = self._request("GET", path, params=told(query))
        if answer.status_code >= 400:
            refuse(problem(answer.status_code, answer.text))
        return answer.text

    def find(self, path: str) -> Any:
        """What stands at a path, None where nothing does. Exits as `get`."""
        answer = self._request("GET", path)
        return None if answer.status_code == 404 else _read(answer)

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """Ask for something. query: as of `get`. Exits as `get`."""
        return self._answer("POST", path, json=body, params=told(query))

    def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Put something there. Exits as `get`."""
        return self._answer("PUT", path, json=body)

    def _answer(self, method: str, path: str, **more: Any) -> Any:
        return _read(self._request(method, path, **more))

    def _request(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            answer = self._client.request(method, path, **more)
            if answer.status_code == 401:  # the token was that of a command before, of a mesh before perhaps
                self._client.headers["Authorization"] = f"Bearer {sign_in(self._asker.data_dir, self._asker.email)[1]}"
                answer = self._client.request(method, path, **more)
            return answer
        except httpx2.HTTPError as error:
            refuse(f"{self.url} does not answer: {error}. See `weft status`.")


def _read(answer: httpx2.Response) -> Any:
    if answer.status_code >= 400:
        refuse(problem(answer.status_code, answer.text))
    return answer.json()


def told(members: Mapping[str, Any]) -> dict[str, Any]:
    """What was given: without the members that are None."""
    return {name: value for name, value in members.items() if value is not None}


def problem(status: int, text: str) -> str:
    """A problem document in words: what, its code, and where the input was wrong."""
    try:
        found = json.loads(text)
        lines = [f"Refused ({found['code']}): {found['detail']}"]
        lines += [f"  {one['pointer'] or '/'}: {one['detail']}" for one in found.get("errors", ())]
    except (ValueError, KeyError, TypeError):
        return f"Refused with {status}: {text[:500]}"
    return "\n".join(lines)


def read_json(text: str | None, option: str) -> Any:
    """A value given as JSON, None where it was not given. Exits with 1 where it is none."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        refuse(f"{option} must be JSON, such as '{{\"amount\": 5}}': {error}")


def as_text(value: Any) -> str:
    """A value as JSON for programs."""
    return json.dumps(value, indent=2, ensure_ascii=False)
