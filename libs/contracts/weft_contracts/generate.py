"""Write the JSON Schema of every word and the AsyncAPI document: `python -m weft_contracts.generate`.

With `--release` the schemas also become what later changes are held to, unless one of them breaks what was released before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weft_contracts import asyncapi
from weft_contracts.compatibility import breaking_changes
from weft_contracts.envelope import schema_of
from weft_contracts.message import REGISTRY, Message

SCHEMAS = Path(__file__).parent / "schemas"
RELEASED = SCHEMAS / "released"


def json_schema(word: type[Message]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a word's data, with the room that owns it as `x-owner`."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_of(word.type, word.version), "x-owner": word.owner}
    return head | word.model_json_schema(mode="validation")


def schema_files() -> dict[str, str]:
    """Every generated file but the released ones, name to text."""
    mesh = [word for word in REGISTRY.values() if word.__module__.startswith(__package__ or "")]
    files = {f"{word.type}.v{word.version}.json": _text(json_schema(word)) for word in mesh}
    return {**dict(sorted(files.items())), "asyncapi.json": _text(asyncapi.document())}


def breaks(released: Path = RELEASED) -> list[str]:
    """What breaks the released words without a new version, as "type version: where: what". Words not released yet may still change."""
    found = []
    for file in sorted(released.glob("*.json")):
        old = json.loads(file.read_text())
        type_, _, version = str(old["$id"]).removeprefix("urn:weft:").rpartition(":")
        word = REGISTRY.get((type_, int(version)))
        if word is not None:
            found += [f"{type_} version {version}: {what}" for what in breaking_changes(old, json_schema(word))]
        elif not any(known == type_ and later > int(version) for known, later in REGISTRY):
            found.append(f"{type_} version {version}: the word is gone and no later version replaces it")
    return found


def write(folder: Path = SCHEMAS) -> None:
    """Write the generated files, and remove those of words that are gone."""
    files = schema_files()
    for stale in {file.name for file in folder.glob("*.json")} - files.keys():
        (folder / stale).unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


def release(folder: Path = SCHEMAS) -> list[str]:
    """Make the generated schemas the released ones. Returns what breaks; when it is not empty, nothing was written."""
    found = breaks(folder / "released")
    if not found:
        for name, text in schema_files().items():
            if name != "asyncapi.json":
                (folder / "released" / name).write_text(text)
    return found


def main(arguments: Sequence[str]) -> int:
    """The command. Returns the exit code: 1 when a release would break somebody."""
    write()
    broken = release() if "--release" in arguments else []
    for line in broken:
        sys.stderr.write(f"{line}; give the word a new version and an upcast in history.py\n")
    return 1 if broken else 0


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
