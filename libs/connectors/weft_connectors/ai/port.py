"""The provider port: what every provider is asked and what it answers, as values. One file a provider speaks it; nothing else does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer, Outgoing

Finish = Literal["end", "length", "refused", "other"]


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of the conversation. role: who said it."""

    role: Literal["user", "assistant"]
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. system: rules, which data cannot change.  schema: of the JSON that is wanted, None for a text.

    No tools are offered, so a model can do nothing but answer.
    """

    system: str = field(repr=False)
    turns: tuple[Said, ...]
    max_output_tokens: int
    temperature: float | None = None
    schema: Mapping[str, Any] | None = None

    @property
    def size_bytes(self) -> int:
        """Of all texts, in UTF-8. No model makes more tokens of a text than it has bytes."""
        return len(self.system.encode()) + sum(len(turn.text.encode()) for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. finish: why it stopped; `other` for what cannot happen where no tools are offered."""

    text: str = field(repr=False)
    finish: Finish
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a connection. key: secret, "" where the service asks for none."""

    connection: OpenConnection
    provider: str
    name: str
    base_url: str

    @property
    def key(self) -> str:
        """The secret that makes us known."""
        return self.connection.secrets.get("api_key", "")


class Unreadable(ValueError):
    """An answer that is none of the provider's."""


class Provider(Protocol):
    """How one provider is spoken to. Pure: the request goes out by the guarded client."""

    def request(self, model: Model, prompt: Prompt, key: str, timeout_s: float) -> Outgoing:
        """The request. key: names this call, the same at every attempt."""
        ...

    def listing(self, model: Model, timeout_s: float) -> Outgoing:
        """The request for a list of models: it costs nothing, and tells whether the key is taken."""
        ...

    def read(self, answer: Answer) -> Reply:
        """The reply in an answer of status 200. Raises: Unreadable."""
        ...
