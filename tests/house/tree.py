"""The tree as the house's checks see it: packages, files, parsed modules. Read once; nothing is imported to be checked."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("gateway", "definitions", "engine", "events", "tasks", "analytics")
LIBRARIES = ("contracts", "language", "runtime", "connectors")


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the project by its path from the root: what git tracks and what it would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return tuple(sorted({name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}))


def package(service: str) -> Path:
    """The package of a service."""
    return ROOT / "services" / service / f"weft_{service}"


def sources(*folders: str) -> Iterator[Path]:
    """The Python files below folders, named from the root; without migrations, which are frozen history."""
    for name in tracked():
        if name.endswith(".py") and name.startswith(folders) and "/migrations/" not in name:
            yield ROOT / name


def shown(path: Path) -> str:
    """A path as people say it, from the root."""
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), shown(path))


def parts(service: str, *names: str) -> list[Path]:
    """The files of the parts of a service that are there: `usecases` is `usecases.py` or the package `usecases/`."""
    found = []
    for name in names:
        single = package(service) / f"{name}.py"
        found += [single] if single.is_file() else sorted((package(service) / name).rglob("*.py"))
    return found


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the dotted name of what is called, as far as it has one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def dotted(node: ast.expr) -> str:
    """`a.b.c` for such an expression; `().c` where it begins with anything but a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "()"
