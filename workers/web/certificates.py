"""PayPal's certificates: fetched from where it publishes them, kept once they have proven good."""

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from domain.errors import UnreachableError
from workers.gateways.http import Http

FETCH_SECONDS_MAX: Final = 3.0
FETCHES_MAX: Final = 10
"""Fetches in a minute: whoever sends nonsense makes us ask PayPal no more often than that."""
KNOWN_MAX: Final = 16
OK: Final = 200

Fetch = Callable[[str], bytes]
"""Returns the PEM text at an address. Raises `UnreachableError`."""


class PayPalCertificates:
    """Certificates by address. One is kept when it has verified a signature, so nonsense displaces none."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, x509.Certificate] = {}
        self._fetched_at: deque[float] = deque(maxlen=FETCHES_MAX)

    def signed(self, url: str, message: bytes, signature: bytes, now: datetime) -> bool:
        """Say whether the certificate at `url`, valid at `now`, signed `message`.

        Raises `UnreachableError` where it cannot be had.
        """
        known = self._known.get(url)
        if known is not None and now > known.not_valid_after_utc:  # another may stand there by now
            self._known.pop(url, None)
            known = None
        certificate = known or self._get(url)
        if certificate is None or not _is_signed(certificate, message, signature, now):
            return False
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[url] = certificate
        return True

    def _get(self, url: str) -> x509.Certificate | None:
        began = time.monotonic()
        if len(self._fetched_at) == FETCHES_MAX and began - self._fetched_at[0] < 60:  # noqa: PLR2004  a minute
            raise UnreachableError("too many certificates were asked for within a minute")
        self._fetched_at.append(began)
        try:
            return x509.load_pem_x509_certificate(self._fetch(url))
        except ValueError:
            return None


def _is_signed(
    certificate: x509.Certificate, message: bytes, signature: bytes, now: datetime
) -> bool:
    key = certificate.public_key()
    is_valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    if not is_valid or not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def fetch_certificate(url: str) -> bytes:
    """Return what stands at `url`, within 3 s, following nothing. Raises `UnreachableError`."""
    place = urlsplit(url)
    try:
        with Http(url=f"https://{place.netloc}", auth=None, connections_max=1) as http:
            reply = http.get(place.path, {}, time.monotonic() + FETCH_SECONDS_MAX)
    except httpx.HTTPError as error:
        raise UnreachableError(f"PayPal's certificate cannot be had: {error}") from error
    if reply.status != OK:
        raise UnreachableError(f"PayPal's certificate cannot be had: http {reply.status}")
    return reply.body
