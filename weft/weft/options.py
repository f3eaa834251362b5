"""The options that commands to a running mesh share."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

DataDir = Annotated[Path, Parameter(name="--data-dir", help="Of the mesh to speak with. Default: WEFT_DATA_DIR, else .weft here.")]
As = Annotated[str, Parameter(name="--as", help="Which of the demo tenant's people asks.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="For programs: the API's answer as it is.")]
Yes = Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), help="Do not ask before.")]
Id = Annotated[str, Parameter(name="id")]
AnswersFile = Annotated[
    Path | None, Parameter(name="--answers", help="What the outside answers: JSON or YAML, `{outputs, outcomes, errors}`, each by node.")
]
Labels = Annotated[list[str], Parameter(negative=(), help="`name=value`; may be repeated.")]
HERE = Path(os.environ.get("WEFT_DATA_DIR", ".weft"))
ADMIN = "admin@demo.weft"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks the mesh of which data directory, and whether a person or a program reads the answer."""

    as_json: Json = False
    email: As = ADMIN
    data_dir: DataDir = HERE


DEMO_ADMIN = Asker()
