"""The documents name what exists: files, tests, links; decisions are numbered and name the test that guards them."""

import importlib
import re

import pytest
from sqlalchemy import MetaData

from tests.house.tree import ROOT, SERVICES, tracked
from weft import reference

DOCUMENTS = [name for name in tracked() if name.endswith(".md")]
DECISIONS = [name for name in DOCUMENTS if name.startswith("docs/decisions/")]
NAMED = re.compile(r"`((?:tests|docs|bench|examples|deploy|services|libs|weft)/[\w./-]+\.\w+)(?:::\w+)?`")
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[\w-]*)?\)")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_names_only_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text()

    assert [path for path in NAMED.findall(text) if not (ROOT / path).exists()] == []
    assert [path for path in LINK.findall(re.sub(r"`[^`\n]*`", "", text)) if not ((ROOT / name).parent / path).exists()] == []


def test_decisions_are_numbered_from_one_without_a_gap() -> None:
    numbers = sorted(name.removeprefix("docs/decisions/")[:4] for name in DECISIONS)

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_is_one_page_and_names_its_test(name: str) -> None:
    text = (ROOT / name).read_text()

    assert len(text.splitlines()) <= 60
    assert re.search(r"`tests/[\w./-]+`", text), "name the test that guards it"


def test_every_crash_point_names_its_test_or_is_open() -> None:
    points = [line for line in (ROOT / "docs/crash-table.md").read_text().splitlines() if re.match(r"\| [A-Z]\d", line)]

    assert len(points) >= 20
    assert [line[:8] for line in points if not re.search(r"\| (open|`tests/[^|]+`) \|$", line)] == []


def test_the_page_of_routes_is_the_generated_one() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run `make generate`"


@pytest.mark.parametrize("service", SERVICES)
def test_the_page_of_what_is_stored_names_every_table_of_a_service(service: str) -> None:
    text = (ROOT / "docs/reference/data-model.md").read_text()
    (section,) = re.findall(rf"^\| \*\*{service}\*\* .*\n((?:\| `.*\n)+)", text, re.M)
    named = {name for line in section.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    tables: MetaData = importlib.import_module(f"weft_{service}.tables").metadata

    assert named == {table.name for table in tables.sorted_tables}


def test_the_architecture_is_told_with_one_picture() -> None:
    text = (ROOT / "docs/architecture.md").read_text()

    assert text.count("```mermaid") == 1
    assert len(text.splitlines()) <= 90
