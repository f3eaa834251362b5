"""The door itself, on which the modules of this package put their routes."""

from typing import Final

from weft_runtime.http import Door

door: Final = Door("analytics")
