"""How many examples the properties have that are about very many inputs."""

import os

from hypothesis import settings

FRESH = os.environ.get("WEFT_FRESH_EXAMPLES") == "1"
"""Whether examples are looked for that no run had before."""


def many(examples: int) -> settings:
    """So many examples where fresh ones are looked for, and a third of them where they are the same at every run.

    To play the same ones again tells what a change has broken, for which the first third is as good as all: those after it are more of the
    same kinds. To find what nobody thought of takes fresh ones, and many.
    """
    return settings(max_examples=examples if FRESH else examples // 3)
