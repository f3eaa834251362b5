"""Everything that reaches a person: user tasks and forms."""
