"""What the commands say to whoever called them."""

import sys
from typing import NoReturn


def say(text: str) -> None:
    """A line for the reader, sent at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def refuse(text: str) -> NoReturn:
    """Say on standard error why it cannot be done, and exit with 1."""
    sys.stderr.write(text + "\n")
    sys.exit(1)
