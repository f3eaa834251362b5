"""Alembic versions of the engine's schema."""
