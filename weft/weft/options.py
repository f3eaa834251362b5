"""The options that commands to a running mesh share."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

DataDir = Annotated[Path, Parameter(name="--data-dir", help="Of the mesh to speak with. Default: WEFT_DATA_DIR, else .weft here.")]
As = Annotated[str, Parameter(name="--as", help="Which of the demo tenant's people asks.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="For programs: the API's answer as it is.")]
Yes = Annotated[bool, Parameter(name=("--yes", "-y"), negative=(), help="Do not ask before.")]
Id = Annotated[str, Parameter(name="id")]
Labels = Annotated[list[str], Parameter(negative=(), help="`name=value`; may be repeated.")]
HERE = Path(os.environ.get("WEFT_DATA_DIR", ".weft"))
ADMIN = "admin@demo.weft"
