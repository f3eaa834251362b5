"""Requests that are right but for one thing, for every operation and every part of it."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, quote_plus

from tests.flows.hostile import values
from tests.flows.hostile.describing import Operation

MARK = "\u0001raw\u0001"
"""Stands in a body for bytes that no JSON writer writes."""
NOBODY = ("01890000-0000-7000-8000-000000000000",)
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class Attack:
    """One request. what: the thing that is wrong with it."""

    operation: Operation
    what: str
    target: str
    method: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Attacker:
    """Makes requests of an operation.

    known: values that mean something, by the name of a parameter, or by the path below `/api/v1` that ends in it.
    bodies: good bodies where the description says no more than `object`, by operation.
    """

    def __init__(self, known: Mapping[str, Sequence[str]], bodies: Mapping[str, Any], seed: int) -> None:
        self._known = known
        self._bodies = bodies
        self._seed = seed

    def attacks(self, operation: Operation, each: int) -> Iterator[Attack]:
        """The requests of one operation. each: how many for every part of it."""
        chance = random.Random(f"{self._seed} {operation.name}")
        good = self.good(operation, chance)
        yield good
        for name in operation.parameters("path"):
            for text in chance.sample(values.TEXTS, each):
                yield self._at(good, chance, f"path {name}={text!r}", path={name: text})
        for name in operation.parameters("query"):
            for text in chance.sample(values.TEXTS, each):
                yield self._at(good, chance, f"query {name}={text!r}", query=[(name, text)])
        first = next(iter(operation.parameters("query")), "x")
        yield self._at(good, chance, "a parameter twice", query=[(first, "1"), (first, "2")])
        yield self._at(good, chance, "unknown parameters", query=[("nobody", "1"), ("", ""), ("limit[]", "1"), ("__proto__", "x")])
        for name in chance.sample(values.HEADERS, 2 * each):
            value = chance.choice(values.HEADER_VALUES)
            yield replace(good, what=f"header {name}: {value[:60]!r}", headers={**good.headers, name: value})
        if good.body is not None:
            yield from self._bodies_of(good, chance, each)

    def good(self, operation: Operation, chance: random.Random) -> Attack:
        """The request with nothing wrong."""
        body, headers = None, {}
        if operation.method in WITH_BODY and operation.body is not None:
            sent = copy.deepcopy(self._bodies.get(operation.name)) or operation.fitting(operation.body)
            body, headers = json.dumps(sent).encode(), {"Content-Type": "application/json"}
            if "application/cloudevents+json" in operation.described["requestBody"]["content"]:
                headers = {"Content-Type": "application/cloudevents+json"}
        return Attack(operation, "nothing wrong", self._target(operation, chance, {}, []), operation.method, headers, body)

    def _bodies_of(self, good: Attack, chance: random.Random, each: int) -> Iterator[Attack]:
        sent = json.loads(good.body or b"null")
        places = list(_places(sent))
        chance.shuffle(places)
        for place in places[: 6 * each]:
            name = "/".join(map(str, place))
            for number in range(max(1, each // 2)):
                raw = number % 3 == 2
                value = chance.choice(values.RAW) if raw else chance.choice(values.TEXTS if number % 3 else values.VALUES)
                text = json.dumps(_with(sent, place, MARK if raw else value))
                body = text.encode("utf-8", "surrogatepass")
                body = body.replace(json.dumps(MARK).encode(), value) if raw else body
                yield replace(good, what=f"body /{name} is {str(value)[:60]!r}", body=body)
        if isinstance(sent, dict):
            yield replace(good, what="an unknown member", body=json.dumps({**sent, "nobody_knows": 1}).encode())
            for name in list(sent)[:each]:
                yield replace(good, what=f"without {name}", body=json.dumps({k: v for k, v in sent.items() if k != name}).encode())
                twice = json.dumps(sent)[:-1] + f", {json.dumps(name)}: null}}"
                yield replace(good, what=f"{name} twice", body=twice.encode())
        for body in chance.sample(values.RAW, 2 * each):
            yield replace(good, what=f"the body is {body[:60]!r}", body=body)
        for kind in chance.sample(values.CONTENT_TYPES, each):
            yield replace(good, what=f"Content-Type: {kind[:60]}", headers={**good.headers, "Content-Type": kind})
        packed = gzip.compress(good.body or b"")
        yield replace(good, what="a packed body", headers={**good.headers, "Content-Encoding": "gzip"}, body=packed)

    def _at(
        self,
        good: Attack,
        chance: random.Random,
        what: str,
        path: Mapping[str, str] | None = None,
        query: Sequence[tuple[str, str]] = (),
    ) -> Attack:
        return replace(good, what=what, target=self._target(good.operation, chance, path or {}, query))

    def _meaning(self, operation: Operation, name: str) -> Sequence[str]:
        """What a parameter may be called with: values for this very path go before those for the name."""
        below = next(
            (known for path, known in self._known.items() if path.endswith(f"/{{{name}}}") and f"/api/v1{path}" in operation.path), None
        )
        return below or self._known.get(name, NOBODY)

    def _target(self, operation: Operation, chance: random.Random, path: Mapping[str, str], query: Sequence[tuple[str, str]]) -> str:
        target = operation.path
        for name in operation.parameters("path"):
            value = path[name] if name in path else chance.choice(self._meaning(operation, name))
            quoted = quote(value.encode("utf-8", "surrogatepass"), safe="")
            # A client takes dots for steps in the path before it sends them.
            target = target.replace(f"{{{name}}}", quoted.replace(".", "%2E"))
        given = {name for name, _ in query}
        wanted = [one for one in operation.described.get("parameters", ()) if one["in"] == "query" and one.get("required")]
        right = [(one["name"], chance.choice(self._known.get(one["name"], NOBODY))) for one in wanted if one["name"] not in given]
        pairs = [f"{quote_plus(name)}={quote_plus(text.encode('utf-8', 'surrogatepass'))}" for name, text in (*right, *query)]
        return target + ("?" + "&".join(pairs) if pairs else "")


def _places(value: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, below in members:
        yield (*here, name)
        yield from _places(below, (*here, name))


def _with(value: Any, place: Sequence[str | int], other: Any) -> Any:
    changed = copy.deepcopy(value)
    here = changed
    for part in place[:-1]:
        here = here[part]
    here[place[-1]] = other
    return changed
