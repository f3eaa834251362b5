"""Writes the generated files of this package: `python -m weft_language.generate`."""

from weft_language.schema import SCHEMA_FILE, schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
