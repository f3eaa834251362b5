"""`weft execution`: its verbs and their options."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from weft.options import ADMIN, DEMO_ADMIN, HERE, AnswersFile, As, Asker, DataDir, Id, Yes

Payload = Annotated[str | None, Parameter(help="JSON.")]

app = App(name="execution", help="Look at executions of the running mesh and act on them.")


@Parameter(name="*")
@dataclass
class Which:
    """Which executions: all that is given holds of each. label: `name=value`. from, to: of their start, RFC 3339."""

    workflow: str | None = None
    status: Annotated[list[str], Parameter(negative=())] = field(default_factory=list)
    version: int | None = None
    key: str | None = None
    label: Annotated[list[str], Parameter(negative=())] = field(default_factory=list)
    since: Annotated[str | None, Parameter(name="--from")] = None
    until: Annotated[str | None, Parameter(name="--to")] = None
    q: str | None = None


ANY = Which()


@app.command(name="list")
def list_executions(
    *,
    which: Which = ANY,
    started_by: str | None = None,
    limit: int = 50,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """List executions, the latest started first.

    Parameters
    ----------
    started_by
        The id of who started them by hand, `me` for who asks.
    limit
        At most so many, up to 200.
    """
    from weft.commands.execution import list_executions as run

    run(asker, which, started_by=started_by, limit=limit)


@app.command
def show(id_: Id, *, asker: Asker = DEMO_ADMIN) -> None:
    """Show an execution and what it waits for."""
    from weft.commands.execution import show as run

    run(asker, id_)


@app.command
def cancel(id_: Id, *, reason: str | None = None, asker: Asker = DEMO_ADMIN) -> None:
    """End an execution now, with its children, tasks and timers."""
    from weft.commands.execution import act

    act(asker, id_, "cancel", {"reason": reason})


@app.command
def pause(id_: Id, *, reason: str | None = None, asker: Asker = DEMO_ADMIN) -> None:
    """Let an execution rest: signals are kept, time stands still, children and tasks follow."""
    from weft.commands.execution import act

    act(asker, id_, "pause", {"reason": reason})


@app.command
def resume(id_: Id, *, asker: Asker = DEMO_ADMIN) -> None:
    """End the pause of an execution."""
    from weft.commands.execution import act

    act(asker, id_, "resume", None)


@app.command
def retry(
    id_: Id,
    *,
    node: Annotated[str | None, Parameter(name="--from")] = None,
    input_: Annotated[str | None, Parameter(name="--input", help="JSON, in the place of the execution's own.")] = None,
    version: int | None = None,
    redo: Annotated[bool, Parameter(negative=())] = False,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Let an execution that failed or timed out go on.

    Parameters
    ----------
    node
        To go back to; where it failed when left out.
    version
        Of the workflow, to go on with.
    redo
        Do everything since then again, also what was done and is asked the same.
    """
    from weft.commands.asking import read_json
    from weft.commands.execution import act

    effects = "redo" if redo else "skip"
    body = {"from": node, "input": read_json(input_, "--input"), "version": version, "effects": effects}
    act(asker, id_, "retry", body)


@app.command
def explain(id_: Id, *, asker: Asker = DEMO_ADMIN) -> None:
    """Tell why an execution is where it is: what it waits for, and each condition on its way."""
    from weft.commands.execution import explain as run

    run(asker, id_)


@app.command
def simulate(
    id_: Id,
    *,
    at: int | None = None,
    input_: Annotated[str | None, Parameter(name="--input", help="JSON, in the place of the execution's own.")] = None,
    version: int | None = None,
    document: Annotated[Path | None, Parameter(help="A definition to go by, JSON or YAML.")] = None,
    answers: AnswersFile = None,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Tell how an execution would go on, or would have gone. What is not said otherwise answers as it did then.

    Parameters
    ----------
    at
        A position of its history to go on from; from its start when left out.
    version
        Published, to go by; only from its start.
    """
    from weft.commands.asking import read_json
    from weft.commands.simulate import simulate_execution as run

    run(asker, id_, {"at": at, "input": read_json(input_, "--input"), "version": version}, document, answers)


@app.command
def export(
    id_: Id,
    *,
    pytest: Annotated[bool, Parameter(negative=())] = False,
    out: Path | None = None,
    who: As = ADMIN,
    data_dir: DataDir = HERE,
) -> None:
    """Write an execution down, so that it can happen again without asking anything outside.

    Parameters
    ----------
    pytest
        As a test, to be kept with the code; else as JSON.
    out
        The file; the terminal when left out.
    """
    from weft.commands.export import export as run

    run(Asker(email=who, data_dir=data_dir), id_, pytest=pytest, out=out)


@app.command
def signal(
    id_: Id,
    name: str,
    *,
    payload: Payload = None,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Bring a named signal to an execution."""
    from weft.commands.execution import signal as run

    run(asker, id_, name, payload)


@app.command
def bulk(
    verb: str,
    *,
    which: Which = ANY,
    ids: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=True)] = None,
    reason: str | None = None,
    name: str | None = None,
    payload: Payload = None,
    from_node: str | None = None,
    input_: Annotated[str | None, Parameter(name="--input", help="For retry: JSON, in the place of each one's own.")] = None,
    with_version: int | None = None,
    redo: Annotated[bool, Parameter(negative=())] = False,
    rate_per_s: int = 200,
    preview: Annotated[bool, Parameter(negative=())] = False,
    yes: Yes = False,
    wait: bool = True,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Do one verb to all executions that are chosen now. Exits with 3 when some were refused.

    Parameters
    ----------
    verb
        cancel, pause, resume, retry or signal.
    ids
        Instead of, or beside, what they have in common.
    name
        Of the signal.
    from_node
        For retry: to go back to; where each failed when left out.
    with_version
        For retry: of the workflow, to go on with.
    redo
        For retry: do everything since then again, also what was done and is asked the same.
    rate_per_s
        Executions a second, at most.
    preview
        Only count and show a few.
    wait
        Until the job has ended.
    """
    from weft.commands.asking import read_json
    from weft.commands.bulk import bulk as run

    options = {"name": name, "payload": read_json(payload, "--payload"), "from": from_node, "input": read_json(input_, "--input")}
    options |= {"version": with_version, "effects": "redo" if redo else None}
    given = {"reason": reason, "rate_per_s": rate_per_s}
    run(asker, verb, which, ids, options, given, preview=preview, yes=yes, wait=wait)
