"""PayPal: RSA over the transmission's id and time, our webhook's id and the body's CRC-32, by PayPal's certificate.

The certificate is named by the request itself, so it is fetched only from where PayPal publishes them.
What is signed of the body is a CRC-32, which proves little: see `providers`.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from domain.inbox import VerifiedEvent
from domain.webhooks.documents import at_text, needed, part, read, word
from domain.webhooks.providers import Provider
from domain.webhooks.refusals import SignatureMissingError, SignatureWrongError
from domain.webhooks.signatures import header, usable

SIGNATURE: Final = "paypal-transmission-sig"
ALGORITHM: Final = "SHA256withRSA"
CERTIFICATE_URL: Final = re.compile(
    r"https://api(?:\.sandbox)?\.paypal\.com(?::443)?/v1/notifications/certs/[A-Za-z0-9_-]+"
)
"""Where PayPal publishes them, and nowhere else on its site, where strangers may have files.

No credentials, no other port, no query: nothing that two readers of a URL could read differently."""


class Certificates(Protocol):
    """Certificates by the address they are published at."""

    def signed(self, url: str, message: bytes, signature: bytes, now: datetime) -> bool:
        """Say whether the certificate at `url`, valid at `now`, signed `message` (RSA, SHA-256).

        Raises `UnreachableError` where it cannot be had.
        """


def verify(
    certificates: Certificates,
    raw: bytes,
    headers: Mapping[str, str],
    webhook_ids: Sequence[str],
    now: datetime,
) -> VerifiedEvent:
    """Return the event that `raw` is, sent for one of our webhooks.

    Raises `SecretMissingError`, a `WebhookRefusedError`, or `UnreachableError` for the certificate.
    """
    held = usable(webhook_ids)
    sent = (
        f"{header(headers, 'paypal-transmission-id')}|{header(headers, 'paypal-transmission-time')}"
    )
    url, signature = _certificate_url(headers), _signature(headers)
    messages = [f"{sent}|{webhook}|{zlib.crc32(raw)}".encode() for webhook in held]
    fitting = [certificates.signed(url, message, signature, now) for message in messages]
    if not any(fitting):
        raise SignatureWrongError("the signature does not fit")
    document = read(raw)
    return VerifiedEvent(
        provider=Provider.PAYPAL.value,
        event_id=needed(document, "id"),
        type=needed(document, "event_type"),
        entity=word(part(document, "resource").get("id")),
        occurred_at=at_text(document.get("create_time")),
        body=raw,
    )


def _certificate_url(headers: Mapping[str, str]) -> str:
    url = header(headers, "paypal-cert-url")
    if not CERTIFICATE_URL.fullmatch(url):
        raise SignatureWrongError("the certificate is not PayPal's")
    return url


def _signature(headers: Mapping[str, str]) -> bytes:
    if header(headers, "paypal-auth-algo") != ALGORITHM:
        raise SignatureWrongError(f"the algorithm is not {ALGORITHM}")
    try:
        return base64.b64decode(header(headers, SIGNATURE), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureMissingError(f"{SIGNATURE} is not base64") from None
