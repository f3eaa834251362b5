"""Many services behind one port: each request goes to the service whose door has its path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from weft_runtime.http.door import Declared, Door


@dataclass(frozen=True, slots=True)
class _Entry:
    pattern: re.Pattern[str]
    methods: frozenset[str]
    app: ASGIApp


class Mount:
    """An ASGI application over the doors of services: `{door: its application}`.

    A path goes to the door that declares it, fixed paths before paths with parameters whatever door they are of; where several doors
    share a path with different methods, the method decides. What no door has goes to `fallback` (the UI, or a door that says 404).
    Raises: ValueError where two doors declare the same method and path.
    """

    def __init__(self, doors: Iterable[tuple[Door, ASGIApp]], fallback: ASGIApp) -> None:
        declared = [(one, app) for door, app in doors for one in door.declared]
        taken: set[tuple[str, str]] = set()
        for one, _ in declared:
            for method in one.methods:
                shape = (method, re.sub(r"{[^}]*}", "{}", one.path))
                if shape in taken:
                    raise ValueError(f"{method} {one.path} is declared by two doors; a path has one owner")
                taken.add(shape)
        self._fallback = fallback
        self._fixed: dict[str, list[_Entry]] = {}
        self._patterns: list[_Entry] = []
        for one, app in sorted(declared, key=lambda pair: pair[0].order()):
            entry = _Entry(_pattern(one), frozenset(one.methods), app)
            if "{" in one.path:
                self._patterns.append(entry)
            else:
                self._fixed.setdefault(one.path, []).append(entry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._owner(scope["path"], scope["method"]) if scope["type"] == "http" else self._fallback
        await app(scope, receive, send)

    def _owner(self, path: str, method: str) -> ASGIApp:
        owner = self._fallback
        for entry in (*self._fixed.get(path, []), *self._patterns):
            if entry.pattern.fullmatch(path):
                if method in entry.methods:
                    return entry.app
                owner = entry.app if owner is self._fallback else owner
        # The path is known and the method is not: its owner answers 405.
        return owner


def _pattern(one: Declared) -> re.Pattern[str]:
    parts = re.split(r"{([^}]*)}", one.path)
    literal, names = parts[::2], parts[1::2]
    held = [".*" if name.endswith(":path") else "[^/]+" for name in names]
    return re.compile("".join(re.escape(text) + (held[number] if number < len(held) else "") for number, text in enumerate(literal)))
