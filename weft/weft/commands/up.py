"""`weft up`: run the whole mesh in the foreground."""

import os
import shlex
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.table import Table
from weft_runtime.errors import WeftError

from weft.commands.terminal import refuse
from weft.mesh.records import Demo, Mesh
from weft.stack.errors import AlreadyRunning, StackError
from weft.stack.stack import Running

# The id is the shell's clock, so that calling twice means two events; the same id would be one event told twice.
EXAMPLE_EVENT = (
    """'{"specversion": "1.0", "id": "'$(date +%s)'", "source": "/demo", "type": "expense.submitted", """
    """"data": {"employee": "Rosa", "amount": 180, "reason": "Train to the fair"}}'"""
)


def example_call(url: str, data_dir: Path) -> str:
    """A line for the shell that starts the example workflow of the mesh at `url`."""
    weft = (sys.argv[0] if Path(sys.argv[0]).name == "weft" else f"{sys.executable} -m weft") + " token"
    if data_dir.absolute() != Path(os.environ.get("WEFT_DATA_DIR", ".weft")).absolute():
        weft += f" --data-dir {shlex.quote(str(data_dir))}"
    content_type = "Content-Type: application/cloudevents+json"
    return f"curl -s {url}/api/v1/events -H '{content_type}' -H \"Authorization: Bearer $({weft})\" -d {EXAMPLE_EVENT}"


class Screen:
    """What `weft up` shows: one moving line while something takes time, plain lines where there is no terminal."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.console = Console(stderr=False, highlight=False)
        self._status: Status | None = None
        self._began = time.monotonic()

    def progress(self, text: str) -> None:
        """Show what is being done now."""
        if not self.console.is_terminal:
            self.console.print(f"{text} …")
        elif self._status is None:
            self._status = self.console.status(f"{text} …")
            self._status.start()
        else:
            self._status.update(f"{text} …")

    def quiet(self) -> None:
        """Take the moving line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def ready(self, mesh: Mesh, running: Running, demo: Demo | None, problem: str | None) -> None:
        """Show where the mesh is, how to sign in and what to try."""
        self.quiet()
        say = self.console.print
        say(f"\n[bold]Weft runs at {mesh.url}[/bold]  (started in {time.monotonic() - self._began:.1f} s)\n")
        if running.notice:
            say(f"[yellow]{running.notice}[/yellow]\n")
        if problem:
            say(f"[yellow]There is no demo tenant: {problem}[/yellow]\n")
        if demo:
            table = Table("Sign in as", "Password", "Roles", box=None, pad_edge=False)
            for person in demo.users:
                table.add_row(person.email, person.password, ", ".join(person.roles))
            say(table)
            say("\nStart something:\n")
            # As it is, so that it can be copied: no wrapping and no markup.
            say(example_call(mesh.url, self._data_dir), soft_wrap=True, markup=False)
        say("\nCtrl-C stops it. In another terminal: weft status, weft logs -f, weft doctor, weft down.", soft_wrap=True)


def up(data_dir: Path, *, processes: bool, port: int | None) -> None:
    """Run the mesh until Ctrl-C. Exits with 1 when it cannot be started or runs already."""
    from weft.mesh.up import Up

    screen = Screen(data_dir)
    try:
        Up(data_dir, processes=processes, port=port, progress=screen.progress, ready=screen.ready).run()
    except KeyboardInterrupt:
        screen.quiet()
    except AlreadyRunning as error:
        screen.quiet()
        _tell_running(data_dir, error)
    except (StackError, WeftError, OSError) as error:
        screen.quiet()
        refuse(f"Weft could not be started: {error}")
    finally:
        screen.quiet()


def _tell_running(data_dir: Path, error: AlreadyRunning) -> None:
    from weft.stack.data_dir import DataDirectory

    mesh = DataDirectory(data_dir).state.get("mesh", Mesh)
    where = f"\nIt is at {mesh.url}." if mesh else ""
    refuse(f"{error}{where}")
