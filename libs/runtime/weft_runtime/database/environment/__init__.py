"""The Alembic environment every service's migrations run in."""
