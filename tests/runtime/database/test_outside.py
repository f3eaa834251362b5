"""A tenant's own database over TLS: whose certificate is believed, and what is said where it is not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from weft_runtime.database.outside import OutsideError, Place, outside

NAME = "db.shop.example"


def certified(folder: Path) -> tuple[ssl.SSLContext, str]:
    """What a server called `NAME` answers with, and its certificate, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    own = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(pem + own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context, pem.decode()


@asynccontextmanager
async def by_tls(database_url: str, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port at which the database is reached by TLS, asked for as PostgreSQL's clients do."""
    to = urlsplit(database_url)

    async def pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(8)  # the request for TLS
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(context)
            inner, outer = await asyncio.open_connection(to.hostname, to.port)
            await asyncio.gather(pumped(reader, outer), pumped(inner, writer))
        writer.close()

    async with await asyncio.start_server(served, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_who_is_believed_depends_on_sslmode(database_url: str, tmp_path: Path) -> None:
    context, ca = certified(tmp_path)
    to = urlsplit(database_url)

    async def tried(**change: Any) -> str:
        about: dict[str, Any] = {"host": NAME, "port": port, "addresses": ["127.0.0.1"], "sslmode": "verify-full", "ca": ca} | change
        place = Place(**about, database=to.path.removeprefix("/"), user=to.username or "", password=to.password or "")
        try:
            async with outside(place, "test") as database:
                (row,) = await database.rows("SELECT 1 + $1::int AS sum", 1)
                return f"{row['sum']}"
        except OutsideError as error:
            return error.code

    async with by_tls(database_url, context) as port:
        assert await tried() == "2"
        # It is the name that was asked for that has to be on the certificate, not the address that it leads to.
        assert await tried(host="other.example") == "tls_failed"
        assert await tried(host="other.example", sslmode="verify-ca") == "2"
        assert await tried(ca=None) == "tls_failed"
        assert await tried(ca=None, sslmode="verify-ca") == "tls_failed"
        assert await tried(ca=None, host="other.example", sslmode="require") == "2"
    # One that speaks no TLS is not spoken to in the clear.
    assert await tried(port=to.port, sslmode="require") == "unreachable"


def test_nothing_that_shows_a_place_shows_its_password() -> None:
    assert "secret" not in repr(Place(NAME, 5432, "shop", [], "require", None, "shop", "secret"))


@pytest.mark.parametrize("ca", ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "none"])
async def test_certificates_that_are_none_are_told(ca: str) -> None:
    with pytest.raises(OutsideError) as refused:
        async with outside(Place(NAME, 1, "shop", ["127.0.0.1"], "verify-full", ca, "shop", "secret"), "test"):
            pass
    assert refused.value.code == "tls_failed"
