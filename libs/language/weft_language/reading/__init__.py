"""Reading documents: JSON and YAML texts to plain values, bounded and strict.

The same strictness for both: no duplicate names, no NUL, no lone surrogates, no non-finite numbers, bounded size and depth. YAML is read by
its JSON schema (1.2): no aliases, no tags, `on` and `yes` are texts, dates stay texts.
"""

from typing import Any, Final

from weft_language.plain import plain_faults
from weft_language.reading.errors import UnreadableDocument
from weft_language.reading.json_text import read_json
from weft_language.reading.yaml_text import read_yaml

MAX_DOCUMENT_BYTES: Final = 1_048_576

__all__ = ["MAX_DOCUMENT_BYTES", "UnreadableDocument", "read_document"]


def read_document(text: bytes | str, media_type: str = "application/json") -> Any:
    """The plain value of a JSON or YAML text.

    media_type: any that says `yaml` is YAML, everything else JSON; parameters are ignored.
    Raises: UnreadableDocument, with a stable code and, where known, line and column.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_DOCUMENT_BYTES:
        raise UnreadableDocument("document_too_large", f"the document is {size} bytes, at most {MAX_DOCUMENT_BYTES} are read")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UnreadableDocument("not_utf8", f"the document is not UTF-8 (byte {error.start})") from error
    value = read_yaml(text) if "yaml" in media_type.split(";")[0].lower() else read_json(text)
    faults = plain_faults(value)
    if faults:
        raise UnreadableDocument(faults[0].code, f"{faults[0].message} (at {faults[0].pointer or 'the top'})")
    return value
