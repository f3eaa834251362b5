"""Programs that are drawn by numbers: each is the same again, and one that fails is made smaller."""

from __future__ import annotations

import sys

import pytest
from weft_language import validate
from weft_language.findings import has_errors

from tests.engine.programs.__main__ import main
from tests.engine.programs.drawing import KINDS, Drawn, drawn, shrunk


def test_a_number_makes_the_same_program_again_and_its_choices_do_too() -> None:
    assert [drawn(7, number) for number in range(20)] == [drawn(7, number) for number in range(20)]
    assert repr(drawn(7, 1).scenario()) == repr(drawn(7, 1).scenario())


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_left_out_of_its_choices_leaves_a_program(kind: str) -> None:
    whole = next(one for one in (drawn(3, number) for number in range(1_000)) if one.kind == kind)
    for left in (whole.choices, whole.choices[::2], whole.choices[: len(whole.choices) // 2], ()):
        documents = Drawn(kind, left, b"").scenario().programs.values()
        assert not any(has_errors(validate(document)) for document in documents)


def test_one_that_fails_is_made_smaller_until_nothing_more_can_be_left_out() -> None:
    whole = Drawn("everything", tuple(range(1, 200)), bytes(range(1, 160)))

    small = shrunk(whole, lambda tried: 77 in tried.choices and sum(map(bool, tried.script)) > 1, 30.0)

    assert (small.choices, len(small.script)) == ((77,), 2)


def test_a_run_tells_how_many_it_played(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["programs", "--programs", "3", "--seed", "1"])

    assert main() == 0
    assert '"programs": 3' in capsys.readouterr().out
