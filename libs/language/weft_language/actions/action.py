"""What a connector's action is: declared once, read by the catalog, the verifier, the compiler and the worker."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from weft_language.model.part import Part

Category = Literal["data", "flow", "time", "people", "events", "services", "ending"]
Takes = Literal["text", "address", "method", "object", "list", "number", "boolean"]
"""What a field needs of a template that is all of it, where that is more than any JSON value."""
WithModel = type[Part]
Error = tuple[str, str]
"""A code that an action fails with, and what it means."""

CONNECTION_ERRORS: Final[tuple[Error, ...]] = (
    ("unknown_connection", "the tenant has no connection of that name; permanent"),
    ("connection_unusable", "the connection is of another type (permanent), or its secrets do not open here"),
    ("connection_unavailable", "the connection could not be read at this moment"),
)
"""Those of every action that goes by a connection."""


def calling_errors(connector: str) -> tuple[Error, ...]:
    """Those of every connector that calls a service over HTTP by the guarded client, with the connector's name before them."""
    return (
        (f"{connector}_unreachable", "no connection: name not found, refused, reset, or TLS failed"),
        (f"{connector}_timeout", "no whole answer in time"),
        (f"{connector}_blocked", "the address is private, local or not http(s); permanent"),
        (f"{connector}_too_large", "the answer is larger than is read; permanent"),
        (f"{connector}_bad_response", "the answer's body is not what it should be; permanent"),
        (f"{connector}_bad_request", "the rendered `with` is not valid; permanent"),
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a `with` that has the right shape. field: pointed at, inside `with`.  fix: how to mend it."""

    field: str
    message: str
    fix: str
    code: str = "wrong_format"
    severity: Literal["error", "warning"] = "error"


def _nothing(with_: Mapping[str, Any]) -> Iterator[Fault]:
    yield from ()


@dataclass(frozen=True, slots=True)
class Action:
    """A connector's action, or a service's. One that is declared is executed: the house tests hold that it is implemented and documented.

    type: `<connector>.<verb>`.  with_: strict model of its `with`; a field `connection: ConnectionName` makes it go by a connection.
    output: JSON Schema.  errors: codes it fails with, beside CONNECTION_ERRORS.  connections: types that `connection` may be of.
    as_written: fields of `with` that are read as they are, no templates in them.  takes: what fields need of templates, by a pattern of
    the pointer below `with`.  check: what is wrong with literal values that the model alone cannot tell, before templates are rendered.
    room: the service that does it, where no worker does; it hears a command of the action's name.
    """

    type: str
    title: str
    icon: str
    description: str
    with_: WithModel
    output: dict[str, Any]
    errors: tuple[Error, ...] = ()
    connections: tuple[str, ...] = ()
    category: Category = "services"
    as_written: tuple[str, ...] = ()
    takes: tuple[tuple[str, Takes], ...] = ()
    check: Callable[[Mapping[str, Any]], Iterator[Fault]] = _nothing
    room: str | None = None

    @property
    def connector(self) -> str:
        """The connector that gives it: its folder's name, and what its error codes begin with."""
        return self.type.partition(".")[0]

    @property
    def needs_connection(self) -> bool:
        """Whether it cannot do without a connection."""
        field = self.with_.model_fields.get("connection")
        return field is not None and field.is_required()

    @property
    def all_errors(self) -> tuple[Error, ...]:
        """Every code that it fails with."""
        return (*self.errors, *(CONNECTION_ERRORS if self.connections else ()))
