"""The door: how a service declares its routes."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

from fastapi import Request
from starlette.responses import Response

from weft_runtime.auth.permissions import Permission
from weft_runtime.http.reply import Reply
from weft_runtime.http.route import DoorRoute, Rules, wrapped
from weft_runtime.http.sockets import Admit, DeclaredSocket, Endpoint

PREFIX = "/api/v1"
ANY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE")

EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared route. path: the whole one."""

    path: str
    methods: tuple[str, ...]
    endpoint: Callable[..., Any]
    rules: Rules
    status: int
    options: dict[str, Any]

    def order(self) -> list[tuple[bool, bool]]:
        """Where it is looked for: fixed parts go before parameters, those before a rest of any length."""
        return [(part.startswith("{"), ":path" in part) for part in self.path.split("/")]


class Door:
    """The routes of a service, below `/api/v1` unless `root=True`.

    Every route names the permission it needs (`may=`) or says that it is public; nothing else is let in. An endpoint is a coroutine
    function; it gets path and query parameters by name, and the types of `weft_runtime.http` by annotation.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.declared: list[Declared] = []
        self.sockets: list[DeclaredSocket] = []

    def route(
        self,
        methods: Sequence[str],
        path: str,
        *,
        may: Permission | None = None,
        public: bool = False,
        root: bool = False,
        status: int = 200,
        max_body_bytes: int | None = None,
        per_minute: int | None = None,
        yaml: Callable[[bytes], Any] | None = None,
        meant: Callable[[Any], Any] | None = None,
        only_known: bool = False,
        **options: Any,
    ) -> Callable[[EndpointT], EndpointT]:
        """Declare a route.

        may: the permission it needs.  public: nobody has to sign in.  root: the path is not below `/api/v1`.  status: of its good answer.
        max_body_bytes: instead of the service's limit.  per_minute: requests of one address, for public routes.
        yaml: reads the body where it is YAML, for routes that take it; raises Malformed.
        meant: of the value of a body, what it stands for where it is written shorter; it itself where it is not.
        only_known: refuse parameters of the query that the route does not read, as a list does whose filters must not be misspelled.
        options: what the framework documents a route with (`summary`, `tags`, `responses`, `openapi_extra`, `operation_id`,
        `include_in_schema`).
        Raises: ValueError where neither or both of `may` and `public` are given, or the path is not plain; TypeError for an endpoint
        that is no coroutine function.
        """
        whole = path if root else PREFIX + path
        label = f"{'/'.join(methods)} {whole}"
        if (may is None) is not public:
            raise ValueError(f"{label}: give it the permission it needs, may=Permission.…, or public=True; not both, not neither")
        if not path.startswith("/") or "//" in path or (path.endswith("/") and path != "/"):
            raise ValueError(f"{label}: a path begins with one slash and does not end with one")

        def declare(endpoint: EndpointT) -> EndpointT:
            if not inspect.iscoroutinefunction(endpoint):
                raise TypeError(f"{label}: make {endpoint.__name__} an `async def` that returns its answer")
            rules = Rules(may, public, max_body_bytes, per_minute, yaml, meant, only_known)
            self.declared.append(Declared(whole, tuple(methods), endpoint, rules, status, options))
            return endpoint

        return declare

    def get(self, path: str, **rules: Any) -> Callable[[EndpointT], EndpointT]:
        """Declare a GET. rules: as `route`."""
        return self.route(("GET",), path, **rules)

    def post(self, path: str, **rules: Any) -> Callable[[EndpointT], EndpointT]:
        """Declare a POST, which takes an `Idempotency-Key`. rules: as `route`."""
        return self.route(("POST",), path, **rules)

    def put(self, path: str, **rules: Any) -> Callable[[EndpointT], EndpointT]:
        """Declare a PUT. rules: as `route`."""
        return self.route(("PUT",), path, **rules)

    def patch(self, path: str, **rules: Any) -> Callable[[EndpointT], EndpointT]:
        """Declare a PATCH. rules: as `route`."""
        return self.route(("PATCH",), path, **rules)

    def delete(self, path: str, **rules: Any) -> Callable[[EndpointT], EndpointT]:
        """Declare a DELETE. rules: as `route`."""
        return self.route(("DELETE",), path, **rules)

    def any(self, path: str, **rules: Any) -> Callable[[EndpointT], EndpointT]:
        """Declare a route for every method. rules: as `route`."""
        return self.route(ANY_METHOD, path, **rules)

    def socket(self, path: str, *, may: Permission, admit: Admit, per_minute: int) -> Callable[[Endpoint], Endpoint]:
        """Declare a WebSocket, below `/api/v1`.

        may: the permission it needs.  admit: tells who asks.  per_minute: handshakes of one address, good or not.
        """

        def declare(endpoint: Endpoint) -> Endpoint:
            self.sockets.append(DeclaredSocket(PREFIX + path, endpoint, may, admit, per_minute))
            return endpoint

        return declare

    def include(self, *doors: Door) -> Door:
        """Take the routes of other doors in, so that a large api can be a package. Returns: this door."""
        for door in doors:
            self.declared.extend(door.declared)
            self.sockets.extend(door.sockets)
        return self

    def routes(self) -> list[DoorRoute]:
        """The routes, ready to be served; those without parameters in their path go first, so that `/tasks/bulk` is no task's id."""
        ordered = sorted(self.declared, key=Declared.order)
        return [self._built(one) for one in ordered]

    def _built(self, one: Declared) -> DoorRoute:
        run = wrapped(one.endpoint, one.status)
        hints = typing.get_type_hints(one.endpoint, include_extras=True)
        asked = [
            parameter.replace(annotation=hints.get(name, Any), kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(one.endpoint).parameters.items()
        ]
        request = inspect.Parameter("weft_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
        run.__signature__ = inspect.Signature([request, *asked])  # type: ignore[attr-defined]
        run.__name__, run.__doc__ = one.endpoint.__name__, one.endpoint.__doc__
        options = {"tags": [self.name], "responses": {}, "operation_id": one.endpoint.__name__, **one.options}
        return DoorRoute(
            one.path,
            run,
            rules=one.rules,
            methods=list(one.methods),
            status_code=one.status,
            response_model=_view(hints.get("return")),
            **options,
        )


def _view(annotation: Any) -> Any:
    """The type of the answer for the API's description: what a Reply holds, nothing for a ready-made response."""
    if get_origin(annotation) is Reply:
        annotation = get_args(annotation)[0]
    if annotation in (None, type(None), Any) or (isinstance(annotation, type) and issubclass(annotation, (Response, Reply))):
        return None
    return annotation
