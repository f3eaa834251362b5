"""`docs/patterns.md`, the examples and the tests agree, and the examples are what an author would be shown as good ones."""

from __future__ import annotations

import pytest
from weft_language import parse, publish_findings, validate
from weft_language.plain import walk

from tests.engine.patterns import catalogue
from tests.engine.patterns.catalogue import DOCUMENT, EXAMPLES, NAMES, UNSUPPORTED, document, examples, slug_of, written

SLUGS = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))


def test_there_are_43_patterns_with_an_example_and_a_test_or_a_reason_each() -> None:
    assert sorted(NAMES) == list(range(1, 44))
    assert len(set(NAMES.values())) == 43
    assert sorted([*examples(), *UNSUPPORTED]) == list(NAMES)
    assert sorted(catalogue.tests()) == sorted(examples())


def test_the_document_has_the_tables_as_examples_and_tests_give_them() -> None:
    text = DOCUMENT.read_text()
    assert written(text) == text, "run: python -m tests.engine.patterns.catalogue"
    assert [text.count(f"| WCP-{number} | {name} |") for number, name in NAMES.items()] == [1] * 43


def test_a_document_without_a_place_for_the_tables_is_not_written() -> None:
    with pytest.raises(ValueError, match="no place for the tables"):
        written("# Patterns\n")


@pytest.mark.parametrize("slug", SLUGS)
def test_an_example_can_be_published_without_a_warning(slug: str) -> None:
    definition = document(slug)
    assert definition["slug"] == slug
    assert [finding for finding in validate(definition) if finding.severity != "info"] == []
    assert publish_findings(parse(definition)) == ()


def test_what_an_example_calls_is_an_example_too_and_every_file_is_an_example_or_called_by_one() -> None:
    called = {value["workflow"] for slug in SLUGS for _, value in walk(document(slug)) if isinstance(value, dict) and "workflow" in value}
    assert called <= set(SLUGS)
    assert set(SLUGS) - called <= {about.slug for about in examples().values()}


@pytest.mark.parametrize("number", sorted(examples()))
def test_an_example_is_called_after_its_pattern_and_says_how_and_one_that_is_partly_supported_what_is_missing(number: int) -> None:
    about = examples()[number]
    assert about.slug == slug_of(number)
    assert about.supported in ("yes", "partly")
    assert (about.limit is not None) == (about.supported == "partly")
    assert 20 <= len(about.how) <= 140
    assert document(about.slug)["description"].endswith(".")
