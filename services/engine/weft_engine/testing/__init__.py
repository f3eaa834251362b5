"""What tests of workflows are written with: recorded executions, and whatever an outside may answer a definition.

`cases(definition)` is a hypothesis strategy: inputs that fit its schema, and answers of every node that asks somebody.
`simulated(definition, case)` is what comes of one. Needs hypothesis, which an engine does not: install `weft-engine[testing]`.
"""

from weft_engine.core.recording import Replayed, replayed
from weft_engine.testing.cases import Case, cases, simulated
from weft_engine.testing.values import values

__all__ = ["Case", "Replayed", "cases", "replayed", "simulated", "values"]
