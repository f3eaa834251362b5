"""The table of requirements in `docs/requirements.md`: read it, add what is missing, change a row.

    python -m tests.house.requirements_table count
    python -m tests.house.requirements_table met tests/flows/test_story.py S0-2.5-e2e S4-SC5-e2e
    python -m tests.house.requirements_table open "web interface" S0-1.1-webui
    python -m tests.house.requirements_table add          # ids of the list of requirements that the table does not have yet

A row's last cell holds what shows it, paths in backquotes, or why it is open. The Markdown file is the only copy.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.house.tree import ROOT

DOCUMENT = ROOT / "docs" / "requirements.md"
STATES = ("met", "open")
_ROW = re.compile(r"^\| `(?P<id>[SX][\w.-]+)` \| (?P<text>.*) \| (?P<state>\w+) \| (?P<shown>.*) \|$")
_ASKED = re.compile(r"^\| `?(?P<id>(?:S\d|X)-[\w.-]+)`? \| (?P<rest>.*) \|$")
_PATH = re.compile(r"`((?:tests|docs|bench|examples|deploy|services|libs|weft|ui|README|Makefile|\.ci)[\w./-]*)(?:::\w+)?`")


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement. shown: what shows that it is met, or why it is open."""

    id: str
    text: str
    state: str
    shown: str

    def line(self) -> str:
        """The row as Markdown."""
        return f"| `{self.id}` | {self.text} | {self.state} | {self.shown} |"

    def paths(self) -> list[str]:
        """The files and folders of the project it names."""
        return _PATH.findall(self.shown)


def rows(document: str) -> list[Row]:
    """The rows of the table, in order."""
    found = (_ROW.match(line) for line in document.splitlines())
    return [Row(match["id"], match["text"], match["state"], match["shown"]) for match in found if match]


def list_of_requirements() -> Path:
    """Where the list of requirements is, beside the conformance data; it may be absent."""
    return Path(os.environ.get("WEFT_CONFORMANCE", ROOT.parent / "shared" / "conformance")).parent / "requirements.md"


def asked(listed: str) -> dict[str, str]:
    """Every id of the list of requirements with its text; for a conflict, how it is settled."""
    found = {}
    for line in listed.splitlines():
        if match := _ASKED.match(line):
            cells = [cell.strip() for cell in match["rest"].split(" | ")]
            found[match["id"]] = cells[2] if match["id"].startswith("X-") else cells[0]
    return found


def changed(document: str, ids: Sequence[str], change: Callable[[Row], Row]) -> str:
    """The document with some rows changed. Raises: KeyError when it has no such id."""
    known = {row.id: row for row in rows(document)}
    for id_ in ids:
        document = document.replace(known[id_].line(), change(known[id_]).line())
    return document


def added(document: str, listed: str) -> str:
    """The document with a section for the ids it does not have yet, open."""
    known = {row.id for row in rows(document)}
    missing = [Row(id_, text, "open", "not looked at yet") for id_, text in asked(listed).items() if id_ not in known]
    if not missing:
        return document
    return "\n".join([document.rstrip(), "", "## New", "", *heading(), *(row.line() for row in missing), ""])


def heading() -> list[str]:
    """The head of a table."""
    return ["| id | requirement | state | shown by, or why open |", "|---|---|---|---|"]


def main(arguments: Sequence[str]) -> int:
    """The command. Returns its exit code."""
    document = DOCUMENT.read_text()
    match arguments:
        case ["met", path, *ids] if ids:
            document = changed(document, ids, lambda row: replace(row, state="met", shown=" ".join(f"`{one}`" for one in path.split(","))))
        case ["open", why, *ids] if ids:
            document = changed(document, ids, lambda row: replace(row, state="open", shown=why))
        case ["add"]:
            document = added(document, list_of_requirements().read_text())
        case ["count"]:
            print(*(f"{state}: {number}" for state, number in Counter(row.state for row in rows(document)).items()), sep="\n")
        case _:
            print(__doc__)
            return 2
    DOCUMENT.write_text(document)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
