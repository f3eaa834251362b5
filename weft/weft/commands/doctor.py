"""`weft doctor`: what keeps a mesh from running here, and how to mend it."""

import sys
from pathlib import Path

from weft.stack.data_dir import DataDirectory
from weft.stack.findings import Level, examine

MARKS = {Level.GOOD: "[green]good[/green]", Level.NOTE: "[yellow]note[/yellow]", Level.BAD: "[red]bad [/red]"}


def doctor(data_dir: Path) -> None:
    """Print the findings. Exits with 1 when one of them keeps the mesh from running."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    findings = examine(DataDirectory(data_dir))
    for finding in findings:
        console.print(f"{MARKS[finding.level]}  {finding.about}: {escape(finding.text)}", soft_wrap=True)
        if finding.mend:
            console.print(f"      {escape(finding.mend)}", soft_wrap=True)
    if any(finding.level is Level.BAD for finding in findings):
        sys.exit(1)
