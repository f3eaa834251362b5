"""The door itself, on which the modules of this package put their routes, and what several of them ask for."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Header, Path, Query
from weft_runtime.http import Door

door: Final = Door("definitions")

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""A version, in the path."""
AskedNumber = Annotated[int, Query(ge=1, le=2**31 - 1)]
"""A version, in the query."""
ContentType = Annotated[str | None, Header(alias="content-type", include_in_schema=False)]
