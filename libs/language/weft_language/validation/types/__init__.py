"""Types of values, as far as a document tells them before anything runs: from schemas, the node catalog, constants and expressions."""

from weft_language.validation.types.environment import Environment, Names, whole_expression
from weft_language.validation.types.infer import Fault, Inference
from weft_language.validation.types.kinds import ANY, Type

__all__ = ["ANY", "Environment", "Fault", "Inference", "Names", "Type", "whole_expression"]
