"""CEL's own conformance files decide what CEL means; docs/reference/cel.md publishes what passes and what is left out, and why.

`python -m tests.language.expressions.test_conformance` writes the published list anew.
"""

from collections import Counter, defaultdict

import pytest

from tests.language.expressions.conformance import FOLDER, REASONS, ROOT, Case, cases, reason, run

PAGE = ROOT / "docs" / "reference" / "cel.md"
BEGIN, END = "<!-- conformance: begin -->\n", "<!-- conformance: end -->\n"
FILES = sorted({case.id.split("/")[0] for case in cases()})
ABSENT = f"not run: no conformance data in {FOLDER.parent.name}"


def outcomes() -> dict[str, tuple[Case, str]]:
    """Each test with what became of it: `pass`, a key of REASONS, or what went wrong."""
    found: dict[str, tuple[Case, str]] = {}
    for case in cases():
        outcome = run(case)
        found[case.id] = (case, outcome if outcome == "pass" else reason(case, outcome) or outcome)
    return found


def published() -> str:
    """The list as the page holds it."""
    results = outcomes()
    passed = sum(outcome == "pass" for _, outcome in results.values())
    sections: dict[str, Counter[str]] = defaultdict(Counter)
    left: dict[str, list[str]] = defaultdict(list)
    for name, (_, outcome) in results.items():
        section = name.rsplit("/", 1)[0] if name.count("/") == 2 else "/".join(name.split("/")[:2])
        sections[section]["pass" if outcome == "pass" else "left"] += 1
        if outcome != "pass":
            left[outcome].append(name)
    lines = [f"{passed} of {len(results)} tests pass; {len(results) - passed} are left out.\n", "### What passes\n"]
    for file in FILES:
        parts = [
            f"{name.split('/', 1)[1]} {counts['pass']}/{counts.total()}" for name, counts in sections.items() if name.startswith(f"{file}/")
        ]
        lines.append(f"- `{file}`: {', '.join(parts)}")
    lines.append("\n### What is left out\n")
    for key, why in REASONS.items():
        lines.append(f"**{key}** ({len(left[key])}): {why}.\n")
        lines.extend(f"- `{name}`" for name in left[key])
        lines.append("")
    return "\n".join(lines)


@pytest.mark.parametrize("file", FILES or ["none"])
def test_every_conformance_test_passes_or_is_left_out_for_a_published_reason(file: str) -> None:
    if not FILES:
        print(ABSENT)
        return
    wrong = {
        name: (case.expression, outcome)
        for name, (case, outcome) in outcomes().items()
        if name.startswith(f"{file}/") and outcome != "pass" and outcome not in REASONS
    }
    assert wrong == {}


def test_the_published_list_is_what_happens() -> None:
    if not FILES:
        print(ABSENT)
        return
    page = PAGE.read_text()
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)] == published()


if __name__ == "__main__":
    page = PAGE.read_text()
    PAGE.write_text(page[: page.index(BEGIN) + len(BEGIN)] + published() + page[page.index(END) :])
