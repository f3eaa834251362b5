"""Serverless Workflow documents: those of the specification, and short ways to write others."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from weft_language import read_document

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("WEFT_CONFORMANCE", ROOT.parent / "shared" / "conformance")) / "serverless-workflow"
EXAMPLES = sorted(FOLDER.glob("examples/*.yaml"))
FEATURES = sorted(FOLDER.glob("ctk/features/*.feature"))
YAML = "application/yaml"


def workflow(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A document with these tasks, each `{name: body}`."""
    return {"document": {"dsl": "1.0.3", "namespace": "test", "name": "test", "version": "0.1.0"}, "do": list(tasks), **more}


def read(path: Path) -> dict[str, Any]:
    """A document of the specification."""
    return dict(read_document(path.read_bytes(), YAML))


@cache
def schema() -> dict[str, Any]:
    """The specification's own schema of a document."""
    return read(FOLDER / "schema" / "workflow.yaml")


def scenarios() -> dict[str, tuple[dict[str, Any], Any, Any]]:
    """Those of the conformance tests that say which output a workflow has: its document, input and output, by name."""
    found: dict[str, tuple[dict[str, Any], Any, Any]] = {}
    for file in FEATURES:
        for part in file.read_text(encoding="utf-8").split("  Scenario: ")[1:]:
            name = f"{file.stem}: {part.splitlines()[0].strip()}"
            steps = re.findall(r'^ +([^\n]*?):?\n +"""yaml\n(.*?)\n? +"""', part, re.S | re.M)
            read_ = {step.split(" ")[-1]: read_document(_dedented(text), YAML) for step, text in steps}
            if "definition" in read_ and "output" in read_ and "output should have" not in part:
                found[name] = (read_["definition"], read_.get("is", {}), read_["output"])
    return found


def _dedented(text: str) -> str:
    lines = text.splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)
