"""The control-flow patterns and how far Weft supports each; `docs/patterns.md` is written from it.

    python -m tests.engine.patterns.catalogue          # writes the tables of docs/patterns.md anew

A supported pattern is described by its example's `x-pattern`, an unsupported one here.
Source of numbers and names: Russell, ter Hofstede, van der Aalst and Mulyar, "Workflow Control-Flow Patterns: A Revised View" (2006),
as workflowpatterns.com numbers and names them.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from weft_language import read_document

ROOT: Final = Path(__file__).parents[3]
EXAMPLES: Final = ROOT / "examples" / "patterns"
TESTS: Final = Path(__file__).parent
DOCUMENT: Final = ROOT / "docs" / "patterns.md"
BEGIN, END = "<!-- tables: written by the command above -->", "<!-- end of the tables -->"

GROUPS: Final[dict[str, dict[int, str]]] = {
    "Basic control flow": {1: "Sequence", 2: "Parallel Split", 3: "Synchronization", 4: "Exclusive Choice", 5: "Simple Merge"},
    "Advanced branching and synchronization": {
        6: "Multi-Choice",
        7: "Structured Synchronizing Merge",
        8: "Multi-Merge",
        9: "Structured Discriminator",
        28: "Blocking Discriminator",
        29: "Cancelling Discriminator",
        30: "Structured Partial Join",
        31: "Blocking Partial Join",
        32: "Cancelling Partial Join",
        33: "Generalised AND-Join",
        37: "Local Synchronizing Merge",
        38: "General Synchronizing Merge",
        41: "Thread Merge",
        42: "Thread Split",
    },
    "Multiple instances": {
        12: "Multiple Instances without Synchronization",
        13: "Multiple Instances with a Priori Design-Time Knowledge",
        14: "Multiple Instances with a Priori Run-Time Knowledge",
        15: "Multiple Instances without a Priori Run-Time Knowledge",
        34: "Static Partial Join for Multiple Instances",
        35: "Cancelling Partial Join for Multiple Instances",
        36: "Dynamic Partial Join for Multiple Instances",
    },
    "State": {
        16: "Deferred Choice",
        17: "Interleaved Parallel Routing",
        18: "Milestone",
        39: "Critical Section",
        40: "Interleaved Routing",
    },
    "Cancellation and force completion": {
        19: "Cancel Task",
        20: "Cancel Case",
        25: "Cancel Region",
        26: "Cancel Multiple Instance Activity",
        27: "Complete Multiple Instance Activity",
    },
    "Iteration": {10: "Arbitrary Cycles", 21: "Structured Loop", 22: "Recursion"},
    "Termination": {11: "Implicit Termination", 43: "Explicit Termination"},
    "Triggers": {23: "Transient Trigger", 24: "Persistent Trigger"},
}
NAMES: Final[dict[int, str]] = dict(sorted((number, name) for group in GROUPS.values() for number, name in group.items()))

UNSUPPORTED: Final[dict[int, str]] = {
    38: "a join belongs to the node that split and knows its own branches; none asks the whole execution whether anything may "
    "still arrive, which is what keeps a definition from deadlocking on a join",
}
"""Patterns that cannot be written, each with the reason."""

_TEST: Final = re.compile(r"test_wcp_(\d\d)_\w+")


@dataclass(frozen=True, slots=True)
class Example:
    """The example of a pattern. supported: `yes` or `partly`.  how: in one line.  limit: what is missing, where it is `partly`."""

    number: int
    slug: str
    name: str
    supported: str
    how: str
    limit: str | None


def document(slug: str) -> dict[str, Any]:
    """The definition that an example is."""
    value: dict[str, Any] = read_document((EXAMPLES / f"{slug}.yaml").read_bytes(), "application/yaml")
    return value


@cache
def examples() -> dict[int, Example]:
    """Every example by the number of its pattern; what is only called by one is none."""
    found = {}
    for path in sorted(EXAMPLES.glob("wcp-*.yaml")):
        written = document(path.stem)
        about = written["x-pattern"]
        found[about["number"]] = Example(
            about["number"], written["slug"], written["name"], about["supported"], about["how"], about.get("limit")
        )
    return found


def example(number: int) -> Example:
    """The example of a pattern. Raises: KeyError when it has none."""
    return examples()[number]


@cache
def tests() -> dict[int, list[tuple[str, str]]]:
    """The tests of each pattern, as file name and function, by its number."""
    found: dict[int, list[tuple[str, str]]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            match = _TEST.fullmatch(node.name) if isinstance(node, ast.FunctionDef) else None
            if match:
                found.setdefault(int(match[1]), []).append((path.name, match[0]))
    return found


def slug_of(number: int) -> str:
    """What the example of a pattern is called: `wcp-01-sequence`."""
    return f"wcp-{number:02}-{re.sub('[^a-z0-9]+', '-', NAMES[number].lower())}"


def row(number: int) -> str:
    """A pattern's row of the table."""
    known = examples().get(number)
    if known is None:
        return f"| WCP-{number} | {NAMES[number]} | no | {UNSUPPORTED[number]} | none | none |"
    how = known.how if known.limit is None else f"{known.how}. Limit: {known.limit}"
    shown = "<br>".join(f"`tests/engine/patterns/{file}::{test}`" for file, test in tests()[number])
    link = f"[{known.name}](../examples/patterns/{known.slug}.yaml)"
    return f"| WCP-{number} | {NAMES[number]} | {known.supported} | {how} | {link} | {shown} |"


def tables() -> str:
    """The tables of `docs/patterns.md`, one for each group of patterns, with the count before."""
    count = {state: sum(one.supported == state for one in examples().values()) for state in ("yes", "partly")}
    lines = [f"Of {len(NAMES)} patterns {count['yes']} are supported, {count['partly']} partly and {len(UNSUPPORTED)} not.", ""]
    for group, names in GROUPS.items():
        lines += [f"## {group}", "", "| number | pattern | supported | how, or why not | example | test |", "|---|---|---|---|---|---|"]
        lines += [*(row(number) for number in names), ""]
    return "\n".join(lines)


def written(text: str) -> str:
    """The document with its tables as they should be. Raises: ValueError when it has no place for them."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{DOCUMENT.name} has no place for the tables: put {BEGIN} and {END} where they belong")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def main() -> int:
    """Write the tables. Returns the exit code."""
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
