"""The `Mail` port by SMTP: what the server said at each step, and what that proves about the mail."""

import json
import smtplib
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from domain.answers import NotSent, Rejected, Unknown
from domain.errors import BadInputError
from domain.links import Links
from domain.mails import Letter, MailAnswer, Taken, is_address
from domain.ports import Mail
from workers.gateways.http import check_url
from workers.mail.address import ServerAddress, server_address
from workers.mail.rendering import Renderer
from workers.mail.session import Session, session
from workers.settings import Settings

OURS_TO_MEND: Final = frozenset({530, 534, 535, 538})
"""Replies that say who we are is the fault, not the mail. Source: RFC 4954, 6."""
NOT_NOW_FIRST, REFUSED_FIRST = 400, 500
_QUIT_SECONDS_MAX: Final = 0.5


class SmtpMail:
    """Implements `Mail`. One connection for each mail; its address shows no password."""

    provider = "smtp"

    def __init__(
        self,
        address: ServerAddress,
        *,
        sender: str,
        links: Links,
        timeout_seconds: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.account = address.name
        self._address, self._sender, self._timeout_seconds = address, sender, timeout_seconds
        self._domain = sender.rpartition("@")[2]
        self._renderer = Renderer(links)
        self._tls = tls or ssl.create_default_context()

    def freeze(self, letter: Letter) -> str:
        """Render the letter; everything of it is fixed from here on."""
        seen = self._renderer.render(letter)
        fields = {
            "from": self._sender,
            "to": letter.recipient,
            "message_id": f"<{letter.key.hex}@{self._domain}>",
            "date": letter.written_at,
            "subject": seen.subject,
            "text": seen.text,
            "html": seen.html,
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    def send(self, request: str) -> MailAnswer:
        """Hand it over: until its last line has left nothing was taken, and after that only a reply tells."""
        fields: dict[str, str] = json.loads(request)
        ends = time.monotonic() + self._timeout_seconds
        try:
            with session(self._address, self._tls, local_name=self._domain, ends=ends) as smtp:
                refused = _envelope(smtp, fields["from"], fields["to"])
                return refused or _hand_over(smtp, fields)
        except smtplib.SMTPResponseException as error:
            return _not_sent(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return NotSent(reason=f"{type(error).__name__}: {error}", brake=_is_ours(error))


def _envelope(smtp: Session, sender: str, recipient: str) -> MailAnswer | None:
    """Say from whom to whom; None where the server agreed, and nothing of the mail has left yet."""
    code, reply = smtp.mail(sender)
    if code != 250:  # noqa: PLR2004  as RFC 5321 has it
        return _not_sent(code, reply)
    code, reply = smtp.rcpt(recipient)
    if code not in {250, 251}:
        return _refused(code, reply) if code >= REFUSED_FIRST else _not_sent(code, reply)
    smtp.putcmd("data")
    code, reply = smtp.getreply()
    return None if code == 354 else _not_sent(code, reply)  # noqa: PLR2004  the same


def _hand_over(smtp: Session, fields: dict[str, str]) -> MailAnswer:
    """Send the mail itself. What breaks here leaves it in doubt: the server may have read its last line."""
    try:
        smtp.send(_quoted(message(fields)))
        code, reply = smtp.getreply()
    except (OSError, smtplib.SMTPException) as error:
        return Unknown(reason=f"{type(error).__name__} after the mail began to leave")
    with _politely(smtp):
        smtp.quit()
    if code == 250:  # noqa: PLR2004  as RFC 5321 has it
        return Taken(message_id=fields["message_id"], reply=_words(reply))
    if code < NOT_NOW_FIRST:
        return Unknown(reason=f"{code} {_words(reply)}")
    return _refused(code, reply) if code >= REFUSED_FIRST else _not_sent(code, reply)


def message(fields: dict[str, str]) -> bytes:
    """The bytes of a frozen mail, the same each time: its parts are bounded by its own name."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = fields["from"], fields["to"]
    made["Subject"], made["Message-ID"] = fields["subject"], fields["message_id"]
    made["Date"] = format_datetime(datetime.fromisoformat(fields["date"]))
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(fields["text"], cte="quoted-printable")
    made.add_alternative(fields["html"], subtype="html", cte="quoted-printable")
    made.set_boundary(f"bursar-{fields['message_id'][1:33]}")
    return made.as_bytes()


def _quoted(raw: bytes) -> bytes:
    """As DATA wants it: a line that begins with a dot has two, and a dot alone ends it. Source: RFC 5321, 4.5.2."""
    body = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    doubled = body.replace(b"\r\n.", b"\r\n..")
    return (b"." + doubled if doubled.startswith(b".") else doubled) + b".\r\n"


def _refused(code: int, reply: bytes) -> Rejected:
    return Rejected(code=str(code), reason=_words(reply))


def _not_sent(code: int, reply: bytes | str) -> NotSent:
    """The server did not take it, and may later; of refusals of ourselves it would say the same of every mail."""
    return NotSent(reason=f"{code} {_words(reply)}", brake=code in OURS_TO_MEND)


def _is_ours(error: Exception) -> bool:
    """No TLS where it is wanted, no login where one is given, a certificate that is not to be trusted."""
    kinds = (smtplib.SMTPNotSupportedError, smtplib.SMTPAuthenticationError)
    return isinstance(error, (*kinds, ssl.SSLCertVerificationError))


def _words(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())[:500]


@contextmanager
def _politely(smtp: Session) -> Iterator[None]:
    """Say good-bye where that takes no time: the answer is known already."""
    if smtp.sock is not None:
        smtp.sock.settimeout(_QUIT_SECONDS_MAX)
    with suppress(OSError, smtplib.SMTPException):
        yield


@contextmanager
def open_mail(settings: Settings) -> Iterator[Mail | None]:
    """Yield the mail server, or None where none is set.

    Raises `BadInputError` for an address that cannot be, and where links would lead nowhere.
    """
    if settings.smtp_url is None:
        yield None
        return
    if settings.public_url is None:
        rule = "is missing while BURSAR_SMTP_URL is set: mails carry links"
        raise BadInputError("BURSAR_PUBLIC_URL", "", rule)
    try:
        check_url(settings.public_url)
    except BadInputError as error:
        raise BadInputError("BURSAR_PUBLIC_URL", settings.public_url, error.rule) from error
    if not is_address(settings.mail_from):
        raise BadInputError("BURSAR_MAIL_FROM", settings.mail_from, "must be one address")
    yield SmtpMail(
        server_address(settings.smtp_url),
        sender=settings.mail_from,
        links=Links(base=settings.public_url.rstrip("/")),
        timeout_seconds=settings.gateway_timeout_seconds,
    )
