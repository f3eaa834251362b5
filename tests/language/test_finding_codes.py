"""Every finding has a code of the table, and docs/reference/findings.md is that table."""

import ast
from pathlib import Path

import weft_language
from weft_language.finding_codes import CODES, page
from weft_language.generate import FINDINGS_PAGE

SOURCES = Path(weft_language.__file__).parent


def test_the_page_of_findings_is_the_generated_one() -> None:
    assert FINDINGS_PAGE.read_text(encoding="utf-8") == page(), "run `make generate` and commit what it wrote"


def test_every_code_that_the_program_writes_is_in_the_table() -> None:
    written = {code for source in _trees() for code in _codes(source)}
    assert len(written) > 60
    assert written - CODES.keys() == set()


def test_every_code_of_the_table_is_written_somewhere_in_the_program() -> None:
    constants = {node.value for source in _trees() for node in ast.walk(source) if isinstance(node, ast.Constant)}
    assert [code for code in CODES if code not in constants] == []


def test_a_code_is_snake_case_and_tells_its_meaning_and_its_mend() -> None:
    for code in CODES.values():
        assert code.code.replace("_", "").islower()
        assert code.meaning
        assert code.fix
        assert set(code.severity.split(", ")) <= {"error", "warning", "info"}
        assert "|" not in code.meaning + code.fix


def _trees() -> list[ast.AST]:
    files = [file for file in SOURCES.rglob("*.py") if "finding_codes" not in file.parts]
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files]


def _codes(source: ast.AST) -> set[str]:
    """The codes written out where a finding or a fault of a schema is made."""
    place = {"Finding": 1, "InvalidSchema": 0}
    found: set[str] = set()
    for node in ast.walk(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in place and len(node.args) > 1:
            code = node.args[place[node.func.id]]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                found.add(code.value)
    return found
