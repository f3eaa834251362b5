"""Everything that comes in: domain events and trigger matching."""
