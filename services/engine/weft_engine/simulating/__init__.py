"""Simulating a definition, or an execution from any moment of it, without the outside: what is asked, and what is shown."""
