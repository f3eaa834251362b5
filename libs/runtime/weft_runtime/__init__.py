"""Plumbing, written once: bus, outbox, inbox, database, auth, HTTP, telemetry, settings, clock."""
