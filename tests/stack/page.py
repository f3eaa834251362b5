"""The examples of a page: the commands in its console blocks, run in order, each with the answer that the page shows.

A block has lines `$ command`, which go on until their quotes are closed, and the answer below. An answer is as printed but for white space,
ids, times and hashes, and where `…` stands anything may. `<!-- NAME = a/0/b of command -->` takes a value out of a JSON answer.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 90.0
"""How long something that only looks is done again until it shows what the page says."""
AGAIN_AFTER_S: Final = 0.3
_BLOCKS: Final = re.compile(r"```console\n(.*?)```|<!-- (\w+) = (\S+) of (.+?) -->", re.S)
_VARYING: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}(?=-…)|\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\+00:00)?|sha256:[0-9a-f]+|…"
)
_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@dataclass(frozen=True)
class Example:
    """A command. shown: the answer on the page, "" for any.  variable, path: where a value of the answer goes, and where it stands."""

    command: str
    shown: str = ""
    variable: str = ""
    path: str = ""

    @property
    def only_looks(self) -> bool:
        """Whether it may be done again as often as one likes."""
        words = shlex.split(self.command)
        if words[0] == "curl":
            return "-d" not in words and "-X" not in words
        return words[:1] == ["weft"] and words[2] in ("list", "show", "explain")


def examples(page: str) -> Iterator[Example]:
    """Every command of a page, in order."""
    for found in _BLOCKS.finditer(page):
        block, variable, path, command = found.groups()
        if variable:
            yield Example(command, "", variable, path)
        else:
            yield from _in_block(block)


def _in_block(block: str) -> Iterator[Example]:
    command, shown, open_ = "", "", False
    for line in block.splitlines():
        if open_ or line.startswith("$ "):
            if not open_:
                if command:
                    yield Example(command, shown)
                command, shown = "", ""
            command = f"{command}\n{line}" if open_ else line.removeprefix("$ ")
            open_ = _is_open(command)
        else:
            shown += line + "\n"
    if command:
        yield Example(command, shown)


def _is_open(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return True
    return command.endswith("\\")


def matches(shown: str, answer: str) -> bool:
    """Whether an answer is the one shown."""
    pattern, end = "", 0
    tight = re.sub(r"\s", "", shown)
    for found in _VARYING.finditer(tight):
        pattern += re.escape(tight[end : found.start()]) + _any(found.group())
        end = found.end()
    return re.fullmatch(pattern + re.escape(tight[end:]), re.sub(r"\s", "", answer), re.S) is not None


def _any(found: str) -> str:
    if found == "…":
        return ".*"
    if found.startswith("sha256:"):
        return "sha256:[0-9a-f]+"
    if "T" in found:
        return r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?"
    return _ID if len(found) == 36 else "[0-9a-f]{8}"


def value_at(answer: str, path: str) -> Any:
    """What stands at a path of a JSON answer, None where nothing does."""
    try:
        return reduce(lambda value, part: value[int(part) if part.isdecimal() else part], path.split("/"), json.loads(answer))
    except (ValueError, KeyError, IndexError, TypeError):
        return None


class Shell:
    """Runs the examples of a page. variables: those that commands read, with what examples have found."""

    def __init__(self, environment: Mapping[str, str], directory: Path) -> None:
        self.variables = dict(environment)
        self.directory = directory

    def run(self, example: Example) -> str | None:
        """Do what an example says. Returns: what it answered instead of what is shown, None where that is the same."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self._answer(example.command)
            if example.variable:
                value = value_at(answer, example.path)
                if value is not None:
                    self.variables[example.variable] = str(value)
                    return None
            elif not example.shown or matches(example.shown, answer):
                return None
            if not (example.variable or example.only_looks) or time.monotonic() > deadline:
                return answer
            time.sleep(AGAIN_AFTER_S)

    def _answer(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], env=self.variables, cwd=self.directory, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr
