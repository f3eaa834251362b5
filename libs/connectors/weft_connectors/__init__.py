"""Plugs to the world, found by entry point."""
