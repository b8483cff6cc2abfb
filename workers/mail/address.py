"""What `BURSAR_SMTP_URL` says: where the mail server is, how it is spoken to, and as whom."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from domain.errors import BadInputError

PORTS: Final = {"smtp": 587, "smtps": 465}
"""Where mail is submitted. Source: RFC 8314, 7.3."""
TLS_VALUES: Final = ("starttls", "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """One mail server. `tls` is `implicit` (smtps), `starttls`, or `none`."""

    host: str
    port: int
    tls: str
    user: str | None
    password: str | None = field(repr=False)

    @property
    def name(self) -> str:
        """Host and port, which name whose effects they are."""
        return f"{self.host}:{self.port}"


def server_address(url: str) -> ServerAddress:
    """Return what `url` says: `smtps://` is TLS from the first byte, `smtp://` is STARTTLS.

    `smtp://…?tls=none` sends in the clear, which is also how a server on this machine is spoken to where
    the URL does not say. TLS is never tried and then done without. Raises `BadInputError`, which shows no
    password.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise _bad("must have a port that is a number") from None
    if not parts.hostname:
        raise _bad("must read smtp://host:port or smtps://host:port")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = options.pop("tls", "none" if _is_here(parts.hostname) else "starttls")
    if options or tls not in TLS_VALUES:
        raise _bad("may end in ?tls=starttls or ?tls=none, and in nothing else")
    if (parts.username is None) != (parts.password is None):
        raise _bad("must name user and password, or neither")
    if parts.username is not None and tls == "none" and not _is_private(parts):
        raise _bad("must not send a password in the clear")
    return ServerAddress(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls="implicit" if parts.scheme == "smtps" else tls,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _is_private(parts: SplitResult) -> bool:
    """Whether what is sent in the clear stays on this machine, or is not sent so at all."""
    return parts.scheme == "smtps" or _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad(rule: str) -> BadInputError:
    return BadInputError("BURSAR_SMTP_URL", "(hidden)", rule)
