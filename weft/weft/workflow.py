"""`weft workflow`: its verbs and their options."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from weft.options import DEMO_ADMIN, AnswersFile, Asker, Id, Json, Labels, Yes

Document = Annotated[Path, Parameter(help="A definition, JSON or YAML; `-` reads it from standard input.")]
Note = Annotated[str | None, Parameter(help="Why, for the history.")]
Out = Annotated[Path | None, Parameter(help="A file to write it to, instead of printing it.")]

app = App(name="workflow", help="Write, publish and start workflows of the running mesh, and move what lives to another version.")


@app.command
def validate(document: Document, *, json: Json = False) -> None:
    """Tell what is wrong, doubtful or worth knowing about a definition; needs no mesh. Exits with 1 when it cannot be published."""
    from weft.commands.documents import validate as run

    run(document, as_json=json)


@app.command
def simulate(
    what: Annotated[str, Parameter(name="what")],
    *,
    input_: Annotated[str | None, Parameter(name="--input", help="JSON, as a start by hand has it.")] = None,
    event: Annotated[str | None, Parameter(help="JSON, `{type, data, ...}`: as the triggers take it.")] = None,
    at: Annotated[str | None, Parameter(help="When it begins, RFC 3339; now when left out.")] = None,
    version: int | None = None,
    answers: AnswersFile = None,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Tell what an execution would do: nothing outside is asked, waits are skipped, nothing is kept.

    Parameters
    ----------
    what
        A definition, JSON or YAML (`-` reads it from standard input), or a workflow's slug.
    version
        Published, of a slug; the active one when left out.
    """
    from weft.commands.asking import read_json
    from weft.commands.simulate import simulate_workflow as run

    body = {"input": read_json(input_, "--input"), "event": read_json(event, "--event"), "at": at, "version": version}
    run(asker, what, body, answers)


@app.command(name="list")
def list_workflows(
    *,
    status: str | None = None,
    label: Labels | None = None,
    q: str | None = None,
    limit: int = 50,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """List workflows, the newest first.

    Parameters
    ----------
    status
        draft, active, inactive or archived.
    q
        A part of slug, name or description.
    limit
        At most so many, up to 200.
    """
    from weft.commands.workflow import list_workflows as run

    run(asker, {"status": status, "label": label, "q": q, "limit": limit})


@app.command
def show(slug: str, *, version: int | None = None, asker: Asker = DEMO_ADMIN) -> None:
    """Show a workflow with its newest definition, or that of a version."""
    from weft.commands.workflow import show as run

    run(asker, slug, version)


@app.command
def save(
    document: Document,
    *,
    publish: Annotated[bool, Parameter(negative=())] = False,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Create the workflow that a definition names, or give it a new version.

    Parameters
    ----------
    publish
        Let new executions run it at once; else it is a draft.
    """
    from weft.commands.documents import save as run

    run(asker, document, publish=publish)


@app.command
def publish(slug: str, *, version: int | None = None, note: Note = None, asker: Asker = DEMO_ADMIN) -> None:
    """Let new executions run a version, the newest unless one is named."""
    from weft.commands.workflow import act

    act(asker, slug, "publish", {"version": version, "note": note})


@app.command
def activate(slug: str, *, version: int | None = None, note: Note = None, asker: Asker = DEMO_ADMIN) -> None:
    """Let a deactivated workflow start again, by another version where one is named."""
    from weft.commands.workflow import act

    act(asker, slug, "activate", {"version": version, "note": note})


@app.command
def deactivate(slug: str, *, note: Note = None, asker: Asker = DEMO_ADMIN) -> None:
    """Let nothing start a workflow any more; what runs goes on."""
    from weft.commands.workflow import act

    act(asker, slug, "deactivate", {"note": note})


@app.command
def rollback(slug: str, version: int, *, note: Note = None, asker: Asker = DEMO_ADMIN) -> None:
    """Publish what an earlier version held as a new version."""
    from weft.commands.workflow import act

    act(asker, slug, "rollback", {"version": version, "note": note})


@app.command
def start(
    slug: str,
    *,
    input_: Annotated[str | None, Parameter(name="--input", help="JSON.")] = None,
    key: str | None = None,
    label: Labels | None = None,
    version: int | None = None,
    wait: str | None = None,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Start an execution.

    Parameters
    ----------
    key
        Of the business; one living execution of the workflow holds it.
    version
        Of the workflow; the active one when left out.
    wait
        For its end, at most so long, such as `5s`.
    """
    from weft.commands.asking import read_json
    from weft.commands.workflow import start as run

    run(asker, slug, {"input": read_json(input_, "--input"), "key": key, "version": version}, label or [], wait)


@app.command
def export(
    slug: str,
    *,
    form: Annotated[Literal["weft", "yaml", "serverless-workflow"], Parameter(name="--format")] = "yaml",
    version: int | None = None,
    out: Out = None,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Write a definition as a file. What it could not carry over is told on standard error."""
    from weft.commands.exchange import export as run

    run(asker, slug, form, version, out)


@app.command(name="import")
def bring_in(
    document: Annotated[Path, Parameter(help="A definition or a Serverless Workflow, JSON or YAML; `-` reads it from standard input.")],
    *,
    slug: str | None = None,
    renew: Annotated[bool, Parameter(negative=(), help="Give the workflow that has the slug a new version.")] = False,
    preview: Annotated[bool, Parameter(negative=(), help="Only tell what would come of it.")] = False,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Make a draft of a file, and tell whatever could not be carried over.

    Parameters
    ----------
    slug
        Instead of the document's own.
    """
    from weft.commands.exchange import bring_in as run

    run(asker, document, slug, "version" if renew else "refuse", preview=preview)


@app.command
def diagram(
    what: Annotated[str, Parameter(name="what")],
    *,
    form: Annotated[Literal["svg", "mermaid"], Parameter(name="--format")] = "svg",
    version: int | None = None,
    out: Out = None,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Draw a definition.

    Parameters
    ----------
    what
        A definition, JSON or YAML (`-` reads it from standard input), which needs no mesh, or a workflow's slug.
    """
    from weft.commands.exchange import diagram as run

    run(asker, what, form, version, out)


@app.command
def migrate(
    slug: str,
    *,
    from_: Annotated[int, Parameter(name="--from")],
    to: int,
    mapping: Annotated[str | None, Parameter(help="JSON: nodes that change by what they become, null where they go.")] = None,
    reset_timers: Annotated[bool, Parameter(negative=())] = False,
    canary: float | None = None,
    stop_at: float | None = None,
    watch_s: float | None = None,
    preview: Annotated[bool, Parameter(negative=())] = False,
    yes: Yes = False,
    wait: bool = True,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Move the live executions of one version to another. Exits with 3 when it has halted or some were refused.

    Parameters
    ----------
    from_
        The version that they leave.
    to
        The version that they go on by.
    reset_timers
        Let timers begin anew by the new nodes' durations; else each keeps what remains of it.
    canary
        Which share of them goes first, above 0 up to 1.
    stop_at
        At which rate of errors it halts.
    watch_s
        How long the canary is watched before the others follow.
    preview
        Only tell how many can go, and why the others cannot.
    wait
        Until it has ended.
    """
    from weft.commands.asking import read_json
    from weft.commands.moving import migrate as run

    asked = {"from": from_, "to": to, "mapping": read_json(mapping, "--mapping"), "timers": "reset" if reset_timers else None}
    asked |= {"canary": None if canary is None else {"share": canary}, "stop_at_error_rate": stop_at, "watch_s": watch_s}
    run(asker, slug, asked, preview=preview, yes=yes, wait=wait)


@app.command
def undo_migration(
    id_: Id,
    *,
    yes: Yes = False,
    wait: bool = True,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Take the executions of a migration back to the version and state they had before.

    Parameters
    ----------
    wait
        Until it has ended.
    """
    from weft.commands.moving import undo as run

    run(asker, id_, yes=yes, wait=wait)
