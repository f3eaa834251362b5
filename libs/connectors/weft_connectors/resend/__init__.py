"""Resend: a thin client of its API on the guarded client, for mails that go out and mails that came in."""

from weft_connectors.resend.client import API, TYPE, ResendClient

__all__ = ["API", "TYPE", "ResendClient"]
