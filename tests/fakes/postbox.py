"""A mail server of this machine, with the hand that orders what goes wrong with it."""

import asyncio
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.fakes.mail import Trouble
from workers.free_ports import free_ports

if TYPE_CHECKING:
    from email.message import EmailMessage

USER, PASSWORD = b"bursar", b"p:w@d"
HOST: Final = "127.0.0.1"
REFUSALS: Final = {
    Trouble.GREYLISTED: "451 4.7.1 not now",
    Trouble.REFUSED: "550 5.1.1 no such mailbox",
}
"""Of a recipient, before anything of the mail is heard."""
HANG_UP_SECONDS_MAX: Final = 5.0


class Postbox:
    """Takes mail, and does wrong what it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.troubles: list[Trouble] = []
        self.logins: list[bytes] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802  the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.troubles and self.troubles[0] in REFUSALS:
            return REFUSALS[self.troubles.pop(0)]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  the same
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is Trouble.REFUSED_LAST:
            return "554 5.7.1 looks like spam"
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(message_from_bytes(content, policy=default))
        self.envelopes.append((str(envelope.mail_from), list(envelope.rcpt_tos)))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        if trouble is Trouble.LOST:
            server.transport.close()
        return "250 OK kept"

    def authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _how: str,
        given: Any,  # noqa: ANN401  the library's
    ) -> AuthResult:
        """Let in who knows the password."""
        assert isinstance(given, LoginPassword)
        self.logins.append(given.login)
        knows = (given.login, given.password) == (USER, PASSWORD)
        return AuthResult(success=knows, handled=knows)


@contextmanager
def posting(
    box: object,
    *,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    login: Callable[..., AuthResult] | None = None,
) -> Iterator[str]:
    """Serve `box` until the block ends; yields host:port.

    `tls` offers STARTTLS, or with `implicit` is all there is; `login` lets in whom it knows, and nobody else.
    """
    [port] = free_ports(1)
    context: dict[str, Any] = {"ssl_context" if implicit else "tls_context": tls}
    asks: dict[str, Any] = {} if login is None else {"authenticator": login, "auth_required": True}
    with warnings.catch_warnings():
        # It warns of what is wanted here: a password that may be read, a session that remembers a login.
        warnings.filterwarnings("ignore", module="aiosmtpd")
        controller = Controller(
            box, hostname=HOST, port=port, auth_require_tls=False, **context, **asks
        )
        controller.start()
        try:
            yield f"{HOST}:{port}"
        finally:
            asyncio.run_coroutine_threadsafe(_hung_up(), controller.loop).result()
            controller.stop()


async def _hung_up() -> None:
    """Wait until nobody is connected any more: the server closes what it holds, and leaves no socket open."""
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=HANG_UP_SECONDS_MAX)


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS of a server of this machine, and of a client that trusts it and nobody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "postbox")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "postbox.pem"
    path.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())
