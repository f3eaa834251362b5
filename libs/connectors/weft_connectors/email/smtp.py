"""Mail servers: one connection for one mail, to a checked address, with TLS before anything is said that nobody else may read.

SMTP knows no idempotency key: where an answer is lost after the server took a mail, the next attempt hands it in again, under the same
Message-ID. Sources: RFC 5321 (replies: 4yz may be mended by time, 5yz not), RFC 3207 (STARTTLS), RFC 8314 (TLS from the first byte).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import aiosmtplib

from weft_connectors.activity import ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import GuardError, Resolver, system_resolver
from weft_connectors.guarded.network import CheckedNetwork
from weft_connectors.guarded.urls import read_url
from weft_connectors.masking import masked_text
from weft_connectors.plug import CODES

TYPE: Final = "smtp"
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
CONNECT_S: Final = 10.0
REPLY_S: Final = 30.0
WHOLE_S: Final = 120.0
"""For a connection, for each reply, for all of it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a server made of a mail. refused: recipients that it refused while it took others, each with its reply."""

    reply: str
    refused: tuple[tuple[str, int, str], ...]


class MailServer:
    """A mail server by a tenant's connection. allow_private: as of the guarded client.  tls: trusted roots; the system's when None."""

    def __init__(
        self,
        connection: OpenConnection,
        *,
        allow_private: bool = False,
        resolve: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connection = connection
        self._network = CheckedNetwork(resolve, allow_private=allow_private)
        self._allow_private = allow_private
        self._tls = tls

    async def send(self, sender: str, recipients: tuple[str, ...], mail: bytes) -> Taken:
        """Hand a mail in. mail: as it travels, in ASCII.  Raises: ActivityError."""
        async with self._greeted(sender.rpartition("@")[2]) as server:
            refused, reply = await server.sendmail(sender, recipients, mail)
        return Taken(self._shown(reply), tuple((address, one.code, self._shown(one.message)) for address, one in refused.items()))

    async def greet(self) -> None:
        """Reach the server and sign in, as before a mail. Raises: ActivityError."""
        async with self._greeted("localhost") as server:
            await server.noop()

    @asynccontextmanager
    async def _greeted(self, as_: str) -> AsyncIterator[aiosmtplib.SMTP]:
        settings, secrets = self._connection.settings, self._connection.secrets
        security, host = str(settings.get("security", "starttls")), str(settings["host"])
        port = int(settings.get("port") or PORTS[security])
        where = f"{host}:{port}"
        with_tls: dict[str, Any] = {"tls_context": self._tls} if self._tls is not None and security != "none" else {}
        with_tls |= {"use_tls": security == "tls", "start_tls": False}
        server: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout(WHOLE_S):
                there = await self._reached(host, port)
                server = aiosmtplib.SMTP(hostname=host.strip("[]"), local_hostname=as_, timeout=REPLY_S, sock=there, **with_tls)
                await server.connect()
                if security == "starttls":
                    await self._encrypted(server, where)
                if "username" in secrets:
                    await server.login(secrets["username"], secrets.get("password", ""))
                yield server
                # What it says to being left changes nothing of what it took.
                with suppress(aiosmtplib.SMTPException, OSError):
                    await server.quit()
        except GuardError as error:
            details = {**error.details, "reason": error.code}
            raise ActivityError(f"email_{CODES[error.code]}", error.message, permanent=error.permanent, details=details) from error
        except (TimeoutError, aiosmtplib.SMTPTimeoutError) as error:
            raise ActivityError("email_timeout", f"the mail server {where} did not answer in time") from error
        except aiosmtplib.SMTPException as error:
            raise self._told(error, where) from error
        except (OSError, ssl.SSLError) as error:
            raise ActivityError("email_unreachable", f"the mail server {where} was not reached: {error}") from error
        finally:
            if server is not None:
                server.close()

    async def _encrypted(self, server: aiosmtplib.SMTP, where: str) -> None:
        """Go on by TLS, or not at all. Raises: ActivityError, SMTPException."""
        await server.ehlo()
        if not server.supports_extension("starttls"):
            message = (
                f"the mail server {where} offers no STARTTLS; set the connection's `security` to `tls`, or to `none` without a password"
            )
            raise ActivityError("email_refused", message, permanent=True)
        await server.starttls()

    async def _reached(self, host: str, port: int) -> socket.socket:
        """A connection to a checked address. Raises: GuardError, OSError."""
        name = f"[{host}]" if ":" in host and not host.startswith("[") else host
        read_url(f"https://{name}:{port}/", allow_private=self._allow_private)
        loop = asyncio.get_running_loop()
        ends = loop.time() + CONNECT_S
        failure: OSError = OSError("no address answered")
        addresses = await self._network.checked(name.strip("[]"), port, ends)
        for address in addresses[:4]:
            there = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            there.setblocking(False)
            try:
                async with asyncio.timeout_at(ends):
                    await loop.sock_connect(there, (address, port))
                return there
            except (OSError, TimeoutError) as error:
                there.close()
                failure = error if isinstance(error, OSError) else OSError("no answer in time")
            except BaseException:
                there.close()
                raise
        raise failure

    def _told(self, error: aiosmtplib.SMTPException, where: str) -> ActivityError:
        """The error of what a server replied."""
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            replies = [(one.recipient, one.code, self._shown(one.message)) for one in error.recipients]
            last = all(code >= 500 for _, code, _ in replies)
            details = {"refused": [{"address": address, "status": code, "message": said} for address, code, said in replies]}
            first = replies[0] if replies else ("", 0, "")
            message = f"the mail server {where} takes it for none of its recipients: {first[1]} {first[2]}"
            return ActivityError("email_refused" if last else "email_unavailable", message, permanent=last, details=details)
        if isinstance(error, aiosmtplib.SMTPResponseException):
            said = self._shown(error.message)
            status = {"status": error.code}
            message = f"the mail server {where} answered {error.code}: {said}"
            if isinstance(error, aiosmtplib.SMTPAuthenticationError) and error.code >= 500:
                return ActivityError("email_unauthorized", message, permanent=True, details=status)
            if error.code >= 500:
                return ActivityError("email_refused", message, permanent=True, details=status)
            return ActivityError("email_unavailable", message, details=status)
        if isinstance(error, aiosmtplib.SMTPNotSupported):
            message = f"the mail server {where} does not offer what the connection asks for: {self._shown(str(error))}"
            return ActivityError("email_refused", message, permanent=True)
        return ActivityError("email_unreachable", f"the mail server {where} was not reached, or left: {self._shown(str(error))}")

    def _shown(self, said: str) -> str:
        """What a server said, without the connection's secrets and without line ends."""
        return masked_text(" ".join(said.replace("\0", "").split())[:300], self._connection)
