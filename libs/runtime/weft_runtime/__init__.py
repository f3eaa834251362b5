"""Plumbing, written once: bus, outbox, inbox, database, auth, HTTP, telemetry, settings, clock.

A service gives it a plate, routes, handlers, tables and settings; the runtime commits, acks, publishes and reads the clock.
"""
