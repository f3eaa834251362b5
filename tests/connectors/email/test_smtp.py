"""`email.send` by a mail server: what it is handed, what becomes of what it replies, and whom it is never asked to be."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.email.smtp import MailServer
from weft_connectors.email.trying import try_smtp
from weft_connectors.plug import Plug
from weft_events.mails import parse

from tests.connectors.conftest import TLS_NAME, Names
from tests.connectors.email.calls import call, sent, smtp

PASSWORD = "canary-password-42"


class Fake:
    """A mail server. mails: what it took.  replies: to MAIL, RCPT or DATA, instead of taking it.  port: where it listens."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.replies: dict[str, str] = {}
        self.logins: list[tuple[str, str]] = []
        self.port = 0

    def signed_in(self, server: Any, session: Any, envelope: Any, mechanism: str, given: LoginPassword) -> AuthResult:
        self.logins.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=given.password.decode() == PASSWORD, handled=False)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        reply = self.replies.get(address, self.replies.get("RCPT", "250 OK"))
        envelope.rcpt_tos += [address] if reply.startswith("250") else []
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.replies.get("DATA") == "gone":
            self.mails.append(envelope)
            server.transport.abort()
        reply = self.replies.get("DATA", "250 2.0.0 queued as 7")
        self.mails += [envelope] if reply.startswith("250") else []
        return reply


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Fake]:
    fake = Fake()
    use_tls = options.pop("use_tls", None)

    def protocol() -> SMTP:
        return SMTP(fake, hostname="fake.test", authenticator=fake.signed_in, **options)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=use_tls)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    async with serving() as server:
        yield server


@pytest.fixture
def trusted(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


async def failure(fake: Fake, **replies: str) -> ActivityError:
    fake.replies = replies
    with pytest.raises(ActivityError) as failed:
        await sent(smtp(fake.port), call(cc="c@d.example"))
    return failed.value


async def test_a_mail_is_handed_in_as_it_was_written_to_everybody_it_is_for(fake: Fake) -> None:
    asked = call(cc="Zoë <c@d.example>", bcc="secret@d.example", subject="Größe", text="one\n.\n..two\né", html="<p>x</p>")
    first = await sent(smtp(fake.port), asked)
    again = await sent(smtp(fake.port), asked)
    (one, two) = fake.mails
    assert (one.mail_from, one.rcpt_tos) == ("shop@acme.example", ["zoe@client.example", "c@d.example", "secret@d.example"])
    assert isinstance(one.content, bytes) and isinstance(two.content, bytes)
    mail = parse(one.content)
    assert (mail.subject, mail.text, mail.html, mail.bcc) == ("Größe", "one\n.\n..two\né", "<p>x</p>", ())
    # A server knows no idempotency key: what is handed in twice has one Message-ID.
    assert (mail.message_id, parse(two.content).message_id) == (first["message_id"], first["message_id"])
    assert first == again == {"id": mail.message_id, "message_id": mail.message_id, "accepted": one.rcpt_tos, "refused": []}


async def test_what_a_server_replies_says_whether_to_try_again(fake: Fake) -> None:
    cases: list[tuple[dict[str, str], str, bool]] = [
        ({"MAIL": "550 5.7.1 not you"}, "email_refused", True),
        ({"MAIL": "451 4.3.0 later"}, "email_unavailable", False),
        ({"RCPT": "550 5.1.1 nobody"}, "email_refused", True),
        ({"RCPT": "450 4.2.0 greylisted"}, "email_unavailable", False),
        ({"zoe@client.example": "450 4.2.0 greylisted", "c@d.example": "550 5.1.1 nobody"}, "email_unavailable", False),
        ({"DATA": "552 5.3.4 too large"}, "email_refused", True),
        ({"DATA": "452 4.3.1 full"}, "email_unavailable", False),
        ({"DATA": "gone"}, "email_unreachable", False),
    ]
    for replies, code, permanent in cases:
        error = await failure(fake, **replies)
        assert (error.code, error.permanent) == (code, permanent), (replies, error.message)


async def test_one_recipient_that_is_refused_keeps_the_mail_from_no_other(fake: Fake) -> None:
    fake.replies = {"c@d.example": "550 5.1.1 nobody"}
    done = await sent(smtp(fake.port), call(cc="c@d.example"))
    assert (done["accepted"], done["refused"]) == (
        ["zoe@client.example"],
        [{"address": "c@d.example", "status": 550, "message": "5.1.1 nobody"}],
    )
    assert len(fake.mails) == 1


async def test_a_password_travels_by_tls_alone_and_to_whom_the_certificate_names(tls: ssl.SSLContext, trusted: ssl.SSLContext) -> None:
    secrets = {"username": "shop", "password": PASSWORD}

    def server(port: int, security: str, name: str = TLS_NAME, password: str = PASSWORD) -> MailServer:
        connection = OpenConnection("m", "smtp", {"host": name, "port": port, "security": security}, secrets | {"password": password})
        return MailServer(connection, allow_private=True, resolve=Names(["127.0.0.1"]), tls=trusted)

    async with serving(tls_context=tls, auth_require_tls=True) as fake:
        taken = await server(fake.port, "starttls").send("a@b.example", ("c@d.example",), b"Subject: x\r\n\r\nx\r\n")
        assert (taken.reply, len(fake.mails), fake.logins) == ("2.0.0 queued as 7", 1, [("shop", PASSWORD)])
        with pytest.raises(ActivityError) as refused:
            await server(fake.port, "starttls", password="canary-wrong-one").greet()
        assert (refused.value.code, refused.value.permanent, "canary" in refused.value.message) == ("email_unauthorized", True, False)
        fake.logins.clear()
        with pytest.raises(ActivityError) as other:
            await server(fake.port, "starttls", name="another.test").greet()
        assert (other.value.code, fake.logins) == ("email_unreachable", [])
    async with serving(use_tls=tls, auth_require_tls=False) as fake:
        await server(fake.port, "tls").greet()
        assert len(fake.logins) == 1
    async with serving(auth_require_tls=False) as fake:
        with pytest.raises(ActivityError) as plain:
            await server(fake.port, "starttls").greet()
        assert (plain.value.code, plain.value.permanent, fake.logins) == ("email_refused", True, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "169.254.169.254", "2130706433", "0x7f.1", "::ffff:10.0.0.1"])
async def test_a_private_address_is_not_reached(fake: Fake, host: str) -> None:
    with pytest.raises(ActivityError) as refused:
        await sent(smtp(fake.port, host=host), allow_private=False)
    assert (refused.value.code, refused.value.permanent, fake.mails) == ("email_blocked", True, [])


async def test_a_name_that_leads_to_a_private_address_among_others_is_not_reached() -> None:
    names = Names(["93.184.216.34", "10.0.0.1"])
    with pytest.raises(ActivityError) as refused:
        await MailServer(smtp(25, host="mail.example"), resolve=names).greet()
    assert (refused.value.code, names.asked) == ("email_blocked", ["mail.example"])


async def test_trying_a_connection_reaches_the_server_and_sends_nothing(fake: Fake) -> None:
    plug = Plug(allow_private=True)
    assert (await try_smtp(smtp(fake.port), plug)).ok
    with pytest.raises(ActivityError) as away:
        await try_smtp(smtp(1), plug)
    assert (away.value.code, fake.mails) == ("email_unreachable", [])
