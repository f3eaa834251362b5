"""What the commands say to whoever called them."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

SOME_REFUSED: Final = 3
"""How a command exits whose work is done in part."""
LOOK_S: Final = 0.5


def say(text: str) -> None:
    """A line for the reader, sent at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def refuse(text: str) -> NoReturn:
    """Say on standard error why it cannot be done, and exit with 1."""
    sys.stderr.write(text + "\n")
    sys.exit(1)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows below their heads. Never cut to the width of a terminal: an id that cannot be copied is of no use."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        say("  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip())


def confirm(question: str, doing: str) -> None:
    """Go on where somebody at a terminal says yes; else exit with 1. doing: what would be done, `cancel them`."""
    if not sys.stdin.isatty():
        refuse(f"Add --yes to {doing} without being asked.")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        refuse("Nothing was done.")


def watched(
    look: Callable[[], dict[str, Any]], goes_on: Callable[[dict[str, Any]], bool], line: Callable[[dict[str, Any]], str], *, quiet: bool
) -> dict[str, Any]:
    """What goes on by itself, once it has ended. line: how it is told, each time that it is another, unless `quiet`."""
    told = ""
    while goes_on(found := look()):
        if not quiet and line(found) != told:
            told = line(found)
            say(told)
        time.sleep(LOOK_S)
    return found
