"""What every file of the house keeps: its size, its name, a docstring, no unfinished marks, nothing of one machine or one registry."""

import ast
import re

import pytest

from tests.house.tree import ROOT, parsed, shown, sources, tracked

CEILING = 300
FORBIDDEN_NAMES = re.compile(r"(^|/)(utils?|helpers?|common|misc|base|managers?)(\.(py|tsx?)$|/)")
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b|raise NotImplemented[E]rror")
HOSTS = re.compile(r"py[p]i\.org|python[h]osted|npm[j]s|deb\.[d]ebian|archive\.[u]buntu|proxy\.[g]olang", re.IGNORECASE)
MACHINE = re.compile(r"/[w]ork/(main|shared)|/[r]oot/\.|/[h]ome/[a-z]+/")
SKIPPED = re.compile(r"pytest\.(skip|mark\.(skip|xfail))|\btest\.(skip|fixme)\(")
MAY_SKIP = ("tests/model/conftest.py:", "tests/connectors/ai/openai_description.py:")
"""A model checker comes with the system or its distribution, never with Python, and a provider's description is not ours to copy:
where neither is at hand, there is nothing to run."""
CODE = ("libs/", "services/", "weft/", "bench/", "examples/")
TEXT = (
    ".py",
    ".ts",
    ".tsx",
    ".md",
    ".toml",
    ".json",
    ".yaml",
    ".yml",
    ".txt",
    ".in",
    ".html",
    ".css",
    ".sql",
    ".sh",
    ".ini",
    ".tf",
    ".rst",
    "",
)


def long_files(*, tests: bool) -> dict[str, int]:
    counted = {}
    for name in tracked():
        written = name.endswith((".py", ".ts", ".tsx")) and "/migrations/" not in name and "/generated/" not in name
        if written and name.startswith("tests/") is tests:
            lines = len((ROOT / name).read_text().splitlines())
            if lines > CEILING:
                counted[name] = lines
    return counted


def matching(pattern: re.Pattern[str], *, only: tuple[str, ...] = ("",), ends: tuple[str, ...] = TEXT) -> list[str]:
    found = []
    for name in tracked():
        suffix = (ROOT / name).suffix
        if name.startswith(only) and suffix in ends:
            text = (ROOT / name).read_text(errors="replace")
            found += [f"{name}:{number}: {line.strip()[:120]}" for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    return found


def test_no_file_of_the_program_passes_300_lines() -> None:
    assert long_files(tests=False) == {}, "make it a package of the same name"


def test_no_file_of_tests_passes_300_lines() -> None:
    assert long_files(tests=True) == {}, "split it by what it is about"


def test_no_file_is_named_for_what_it_is_not() -> None:
    assert [name for name in tracked() if FORBIDDEN_NAMES.search(name)] == []


def test_nothing_is_left_unfinished() -> None:
    assert matching(UNFINISHED, ends=(".py", ".ts", ".tsx")) == []


def test_no_file_names_a_package_registry() -> None:
    assert matching(HOSTS) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert matching(MACHINE) == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    found = matching(SKIPPED, only=("tests/", "ui/"), ends=(".py", ".ts", ".tsx"))

    assert [line for line in found if not line.startswith(MAY_SKIP)] == []


def test_every_module_says_what_it_is() -> None:
    silent = [shown(path) for path in sources(*CODE) if ast.get_docstring(parsed(path)) is None]

    assert silent == []


def test_everything_public_says_what_it_is() -> None:
    silent = []
    for path in sources("libs/", "services/", "weft/"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                members = [member for member in node.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]
                public = [node, *(member for member in members if not member.name.startswith("_") and not overloaded(member))]
                silent += [f"{shown(path)}:{one.lineno} {one.name}" for one in public if ast.get_docstring(one) is None]
        functions = [node for node in parsed(path).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        silent += [
            f"{shown(path)}:{one.lineno} {one.name}" for one in functions if not one.name.startswith("_") and ast.get_docstring(one) is None
        ]

    assert silent == []


def overloaded(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        (isinstance(decorator, ast.Name) and decorator.id in {"overload", "override"}) or getattr(decorator, "attr", "") == "setter"
        for decorator in function.decorator_list
    )


@pytest.mark.parametrize("name", ["utils.py", "a/helpers.py", "a/common/x.py", "ui/base.ts", "a/manager.py"])
def test_the_rule_about_names_bites(name: str) -> None:
    assert FORBIDDEN_NAMES.search(name)


@pytest.mark.parametrize("name", ["a/basement.py", "a/uncommon.py", "a/database.py", "a/management.py"])
def test_the_rule_about_names_spares_good_names(name: str) -> None:
    assert not FORBIDDEN_NAMES.search(name)
