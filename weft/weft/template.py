"""`weft template`: its verbs and their options."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from weft.options import DEMO_ADMIN, Asker, Labels

app = App(name="template", help="Find templates, keep your own, and make workflows of them.")


@app.command(name="list")
def list_templates(
    *,
    q: str | None = None,
    category: str | None = None,
    label: Labels | None = None,
    source: Literal["own", "shared", "builtin"] | None = None,
    limit: int = 50,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """List templates, by slug.

    Parameters
    ----------
    q
        A part of slug, name, description or category.
    source
        Whose they are.
    limit
        At most so many, up to 200.
    """
    from weft.commands.template import list_templates as run

    run(asker, {"q": q, "category": category, "label": label, "source": source, "limit": limit})


@app.command
def show(slug: str, *, version: int | None = None, asker: Asker = DEMO_ADMIN) -> None:
    """Show what a template is, and the parameters that a workflow of it is made by."""
    from weft.commands.template import show as run

    run(asker, slug, version)


@app.command
def save(
    document: Annotated[Path, Parameter(help="A template, JSON or YAML; `-` reads it from standard input.")], *, asker: Asker = DEMO_ADMIN
) -> None:
    """Keep a template, or give the one there is a new version."""
    from weft.commands.template import save as run

    run(asker, document)


@app.command
def instantiate(
    template: Annotated[str, Parameter(name="template", help="Its slug.")],
    *,
    parameters: Annotated[Path | None, Parameter(help="A file, JSON or YAML; `-` reads it from standard input.")] = None,
    given: Annotated[str | None, Parameter(name="--with", help="More parameters, JSON, in the place of those of the file.")] = None,
    name: str | None = None,
    as_slug: Annotated[str | None, Parameter(name="--slug", help="Of the workflow; that of its name when left out.")] = None,
    version: int | None = None,
    enhancement: Annotated[list[str] | None, Parameter(negative=(), help="An enhancement's id; may be repeated.")] = None,
    renew: Annotated[bool, Parameter(negative=())] = False,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Make a workflow of a template: a draft, told with its findings.

    Parameters
    ----------
    name
        Of the workflow; the definition's when left out.
    version
        Of the template; the newest when left out.
    renew
        Give the workflow of that --slug a new version; parameters left out stay as they were.
    """
    from weft.commands.asking import read_json
    from weft.commands.template import instantiate as run

    asked = {"name": name, "slug": as_slug, "version": version, "enhancements": enhancement, "existing": "version" if renew else None}
    run(asker, template, parameters, read_json(given, "--with"), asked)
