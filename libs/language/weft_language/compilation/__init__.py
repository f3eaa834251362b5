"""Compilation: from a valid definition to the program that the engine runs."""
