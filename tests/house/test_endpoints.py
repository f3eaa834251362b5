"""Every endpoint of the API is asked for by some test: by its method, at its address."""

import ast
import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from weft_runtime.http.door import Door

from tests.house.tree import SERVICES, calls, parsed, sources

METHODS = frozenset({"get", "post", "put", "delete", "stream"})
NOT_ASKING = frozenset({"expect_request", "url_for"})
ANYTHING = "*"


def asked(path: Path) -> Iterator[tuple[str, str]]:
    """The (method, address) pairs a file asks for; ANYTHING for a part that is known only when it runs, and for a helper's method."""
    tree = parsed(path)
    known = dict(named(tree.body))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        texts = known | dict(named(ast.walk(function)))
        for call, name in calls(function):
            method = name.rpartition(".")[2]
            if method in NOT_ASKING:
                continue
            for given in call.args:
                address = written(given, texts)
                if address is not None and "/" in address:
                    yield method if method in METHODS else ANYTHING, address.partition("?")[0].removeprefix("/api/v1")


def named(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """What names are given among statements, several at once too."""
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                yield from ((one.id, value) for one, value in zip(names, values, strict=False) if isinstance(one, ast.Name))


def written(node: ast.expr, texts: dict[str, ast.expr], depth: int = 3) -> str | None:
    """A text as far as it stands in the file, None where it is none."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(written(part, texts, depth) or ANYTHING for part in parts)
        case ast.FormattedValue(value=value):
            return written(value, texts, depth)
        case ast.Name(id=name) if depth and name in texts:
            return written(texts[name], texts, depth - 1)
    return None


@cache
def everything_asked() -> frozenset[tuple[str, tuple[str, ...]]]:
    files = (path for path in sources("tests") if path != Path(__file__))
    return frozenset((method, tuple(address.strip("/").split("/"))) for path in files for method, address in asked(path))


def fits(route: list[str], address: tuple[str, ...]) -> bool:
    """Whether an address is one of a route; a part that is not known fits a parameter only."""
    if len(route) != len(address):
        return False
    return all(part == given or (part.startswith("{") and given != "") for part, given in zip(route, address, strict=True))


def endpoints() -> list[tuple[str, str]]:
    found = set()
    for service in SERVICES:
        door: Door = importlib.import_module(f"weft_{service}.api").door
        found |= {(method, one.path) for one in door.declared for method in one.methods}
    return sorted(found)


@pytest.mark.parametrize(("method", "path"), endpoints())
def test_every_endpoint_is_asked_for_by_a_test(method: str, path: str) -> None:
    route = re.sub(r"^/api/v1", "", path).strip("/").split("/")
    ways = {"get": {"get", "stream"}}.get(method.lower(), {method.lower()}) | {ANYTHING}

    assert [address for way, address in everything_asked() if way in ways and fits(route, address)] != []
