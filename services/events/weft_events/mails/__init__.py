"""Mails: read from their bytes or from what a provider tells of them, and matched with the addresses that triggers listen to. Pure."""

from weft_events.mails.errors import MailRefused
from weft_events.mails.mail import Mail, payload, recipients
from weft_events.mails.parsing import MAX_BYTES, parse

__all__ = ["MAX_BYTES", "Mail", "MailRefused", "parse", "payload", "recipients"]
