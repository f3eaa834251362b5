"""Every code that a finding may have, with what it means: the table behind docs/reference/findings.md.

`python -m weft_language.generate` writes that page; a test compares the two and holds the table to what the program says.
"""

from typing import Final

from weft_language.finding_codes.code import FindingCode
from weft_language.finding_codes.graph import FLOW, GRAPH
from weft_language.finding_codes.reading import EXPRESSIONS, STEPS, TYPES
from weft_language.finding_codes.shape import SCHEMAS, SHAPE
from weft_language.finding_codes.work import CARRYING, ENHANCING, PEOPLE, PUBLISHING, UNDOING

__all__ = ["CODES", "FindingCode", "page"]

_CHAPTERS: Final[tuple[tuple[str, str, tuple[FindingCode, ...]], ...]] = (
    ("Shape", "Fields, types and ranges of the document.", SHAPE),
    ("Schemas", "The JSON Schemas that authors write: inputs, forms and signals.", SCHEMAS),
    ("Graph", "Nodes, edges, scopes and outcomes.", GRAPH),
    (
        "Flow",
        "What can never run, never end or never change. Conditions that no execution changes are taken for what they always are.",
        FLOW,
    ),
    ("Expressions", "Syntax and names.", EXPRESSIONS),
    ("Steps", "What `step.<id>` reads, on each way that leads there.", STEPS),
    ("Types", "Values used as what they never are, by schemas, the node catalog, variables and the expressions themselves.", TYPES),
    ("People", "Tasks.", PEOPLE),
    ("Failing and undoing", "Errors, compensation and calls.", UNDOING),
    ("Enhancing", "What AI may do in a node's place.", ENHANCING),
    ("Publishing", "Said when a valid definition is published.", PUBLISHING),
    ("Carrying over", "Said when another language's document is imported, or exported to.", CARRYING),
)
CODES: Final[dict[str, FindingCode]] = {code.code: code for _, _, codes in _CHAPTERS for code in codes}

_HEAD: Final = """# Findings

What `POST /workflows/validate`, saving and publishing say about a definition. This page is generated from the program by `make generate`.

Each finding has a stable `code`, a `severity`, the JSON pointer of its place, the node, a message, and mostly a proposed `fix`; where
that can be said exactly, `patch` holds it as RFC 6902 operations.

- **error**: it certainly fails when it runs, or means nothing. A document with an error is not saved.
- **warning**: very likely not meant. It does not keep a definition from being published.
- **info**: worth knowing.

Where nothing certain is known, nothing is said: an output without a schema may be anything. Reading a step or member that is not there is
no error where `&&`, `||` or `?:` may spare it, or in `has(...)` and `default(...)`.

Judging takes bounded time. At most 200 findings are shown, errors first; at most 1,000 nodes, 5,000 edges and 262,144 characters of
expressions are read; 2,000 constant parts are computed, 5,000 subschemas give types, and 400,000 moments are visited to name the ways on
which a step has not run. Beyond these last three less is said, never something wrong.
"""


def page() -> str:
    """The whole of docs/reference/findings.md."""
    parts = [_HEAD]
    for title, text, codes in _CHAPTERS:
        rows = [f"| `{code.code}` | {code.severity} | {code.meaning} | {code.fix} |" for code in codes]
        parts.append("\n".join([f"\n## {title}\n", text, "", "| code | severity | meaning | mend |", "|---|---|---|---|", *rows, ""]))
    return "".join(parts)
