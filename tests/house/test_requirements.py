"""`docs/requirements.md` lists every requirement and promises nothing that is not there."""

from tests.house.requirements_table import DOCUMENT, STATES, Row, added, asked, changed, list_of_requirements, rows
from tests.house.tree import ROOT

ROWS = rows(DOCUMENT.read_text())


def test_every_requirement_is_listed() -> None:
    listed = list_of_requirements()
    wanted = asked(listed.read_text()) if listed.is_file() else {row.id: row.text for row in ROWS}

    assert sorted(wanted.keys() - {row.id for row in ROWS}) == []
    assert sorted({row.id for row in ROWS} - wanted.keys()) == []


def test_every_requirement_is_listed_once() -> None:
    ids = [row.id for row in ROWS]

    assert len(ids) == len(set(ids))
    assert len(ids) > 600


def test_every_requirement_is_met_or_open() -> None:
    assert [row.id for row in ROWS if row.state not in STATES or not row.text] == []


def test_what_is_met_names_what_shows_it() -> None:
    assert [row.id for row in ROWS if row.state == "met" and not row.paths()] == []


def test_what_is_open_says_why() -> None:
    assert [row.id for row in ROWS if row.state == "open" and len(row.shown) < 3] == []


def test_what_shows_a_requirement_exists() -> None:
    assert [f"{row.id}: {path}" for row in ROWS for path in row.paths() if not (ROOT / path).exists()] == []


def test_a_row_is_changed_where_it_stands() -> None:
    document = "text\n\n| `S0-0-poc` | Fast | open | later |\n| `S0-0-json` | Data | open | later |\n"

    after = changed(document, ["S0-0-json"], lambda row: Row(row.id, row.text, "met", "`tests/house/test_requirements.py`"))

    assert after == document.replace("Data | open | later", "Data | met | `tests/house/test_requirements.py`")


def test_missing_ids_are_added_as_open() -> None:
    document = "| `S0-0-poc` | Fast | open | later |\n"
    listed = "| `S0-0-poc` | Fast | TST | x |\n| `S0-0-json` | Data | DEF | y |\n| X-01 | S0 | problem | proposal |\n"

    assert [(row.id, row.text, row.state) for row in rows(added(document, listed))] == [
        ("S0-0-poc", "Fast", "open"),
        ("S0-0-json", "Data", "open"),
        ("X-01", "proposal", "open"),
    ]
