"""The functions of the language, by family. Importing this package fills the table."""

from weft_language.expressions.functions import business, calendars, conversion, formatting, lists, numbers, text, times
from weft_language.expressions.functions.registry import GLOBALS, METHODS, Overload

__all__ = [
    "GLOBALS",
    "METHODS",
    "Overload",
    "business",
    "calendars",
    "conversion",
    "formatting",
    "lists",
    "numbers",
    "text",
    "times",
]
