"""Writes the generated files of the language: `python -m weft_language.generate`."""

from pathlib import Path
from typing import Final

from weft_language.finding_codes import page
from weft_language.schema import SCHEMA_FILE, schema_text

FINDINGS_PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "findings.md"

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    FINDINGS_PAGE.write_text(page(), encoding="utf-8")
