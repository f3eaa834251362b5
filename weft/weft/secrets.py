"""`weft secrets`: its verbs."""

from cyclopts import App

app = App(name="secrets", help="Go over to another WEFT_SECRET_KEY.")


@app.command
def reseal() -> None:
    """Seal by WEFT_SECRET_KEY what one of WEFT_SECRET_KEYS_BEFORE sealed (WEFT_DATABASE_URL as for `weft migrate`)."""
    from weft.importing import uncollected

    with uncollected():
        from weft.commands.secrets import reseal as run

    run()
